import math

import pytest

from foedus.plain_values import four_figures


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (40.0, "40"),
        (982.033, "982"),
        (4e9, "4,000,000,000"),
        (1234567.8, "1,235,000"),
        (-2.50001, "-2.5"),
        (0.00012344, "0.0001234"),
        (9999.96, "10,000"),
    ],
)
def test_four_figures_without_an_exponent(x, text):
    assert four_figures(x) == text


def test_what_is_no_number_is_said():
    assert four_figures(math.inf) == "inf"
