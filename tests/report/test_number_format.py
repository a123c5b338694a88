import datetime as dt
import math

import pytest

from foedus.report import number_format as words


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0, "<1%"), (0.004, "<1%"), (0.01, "1%"), (0.5, "50%"), (0.994, ">99%"), (1.0, ">99%")],
)
def test_percent_never_claims_certainty(p: float, text: str) -> None:
    assert words.percent(p) == text


def test_percent_of_nan_is_unknown() -> None:
    assert words.percent(math.nan) == "unknown"


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (7, "7"),
        (44.4, "44.4"),
        (3811, "3,810"),
        (99_999, "100,000"),
        (0.01234, "0.0123"),
        (-250.4, "-250"),
    ],
)
def test_number_has_three_figures(x: float, text: str) -> None:
    assert words.number(x) == text


def test_day_and_rating() -> None:
    assert words.day(dt.date(2022, 1, 7)) == "7 Jan 2022"
    assert words.rating("B2") == "usually reliable, probably true"
