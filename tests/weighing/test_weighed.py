"""The one weighed object: made once, and every answer is a function of it."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest

import foedus
from foedus.answers.dossier import Wanted, dossier
from foedus.answers.whatif import Change, what_if
from foedus.case.models import MemberUpdate
from foedus.ensemble import run
from foedus.errors import InputError
from foedus.weighing import weighed as weighing

DATE = "2001-03-04"
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "path-of-a-probability.md"


@pytest.fixture(scope="module")
def made(crisis, tmp_path_factory):
    path = tmp_path_factory.mktemp("weighed") / "runs.zarr"
    ensemble = run(crisis, runs=300, workers=1, out=path, as_of=DATE)
    return ensemble, foedus.weigh(crisis, as_of=DATE, ensemble=ensemble)


@pytest.mark.parametrize(
    ("verb", "options"),
    [
        (foedus.forecast, {}),
        (foedus.explain, {"pairs": 20}),
        (foedus.watch, {}),
        (foedus.diagnose, {}),
        (foedus.sensitivity, {"pairs": 0}),
    ],
)
def test_a_verb_says_the_same_of_weighed_runs(crisis, made, verb, options):
    ensemble, weighed = made
    alone = verb(crisis, as_of=DATE, ensemble=ensemble, **options)
    shared = verb(crisis, weighed=weighed, **options)
    assert json.dumps(alone.to_dict()) == json.dumps(shared.to_dict())


def test_discover_and_what_if_take_weighed_runs(crisis, made):
    ensemble, weighed = made
    question = next(q.id for q in crisis.questions if q.kind == "binary")

    def found(**runs):
        try:
            return foedus.discover(crisis, question=question, before=True, **runs).to_dict()
        except InputError as error:
            return str(error)

    assert found(weighed=weighed) == found(as_of=DATE, ensemble=ensemble)
    one, other = (
        next(what_if(crisis, Change(), steps=(20,), **runs)).to_dict()
        for runs in ({"weighed": weighed}, {"as_of": DATE, "ensemble": ensemble})
    )
    assert one == other


def test_a_report_filters_reads_and_weighs_once(crisis, made, monkeypatch):
    calls = dict.fromkeys(("likelihood", "known_by", "log_prior_weight"), 0)

    def counted(name, real):
        def instead(*args, **options):
            calls[name] += 1
            return real(*args, **options)

        return instead

    for name in calls:
        monkeypatch.setattr(weighing, name, counted(name, getattr(weighing, name)))
    dossier(crisis, Wanted(explain=True, pairs=0, watch=True), as_of=DATE, ensemble=made[0])
    assert calls == {"likelihood": 1, "known_by": 1, "log_prior_weight": 1}  # 300 runs, a block


def test_what_cannot_be_asked_is_refused_before_any_run(crisis, monkeypatch):
    monkeypatch.setattr(weighing, "make_runs", lambda *_, **__: pytest.fail("runs were made"))
    with pytest.raises(InputError, match="rating"):
        foedus.watch(crisis, rating="Z9")


def test_a_question_that_is_misspelt(crisis, made):
    forecast = foedus.forecast(crisis, weighed=made[1])
    name = crisis.questions[0].id
    with pytest.raises(InputError, match=f"did you mean '{name}'"):
        forecast.answer(name + "x")


def test_the_path_of_a_probability_is_as_its_page_says():
    steps = re.findall(r"`(\w+)` in `([\w/]+\.py)`", PAGE.read_text(encoding="utf-8"))
    assert 0 < len(steps) <= 12
    assert len({file for _, file in steps}) <= 5
    for name, file in steps:
        source = (ROOT / "src" / "foedus" / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, flags=re.MULTILINE), (name, file)


def test_runs_with_values_from_later_are_refused_at_an_earlier_date(crisis, made):
    ensemble, _ = made
    ally = crisis.alliance
    lead = next(i for i, m in enumerate(ally.members) if m.actor == ally.lead)
    update = MemberUpdate(known_from=dt.date(2001, 3, 4), pool=ally.members[lead].pool)
    unknown = ally.members[lead].model_copy(update={"pool": 1, "updates": (update,)})
    members = (*ally.members[:lead], unknown, *ally.members[lead + 1 :])
    dated = crisis.model_copy(update={"alliance": ally.model_copy(update={"members": members})})
    foedus.weigh(dated, as_of=DATE, ensemble=ensemble)  # the same pool, known by then
    with pytest.raises(InputError, match="not as known by 2001-03-03"):
        foedus.weigh(dated, as_of="2001-03-03", ensemble=ensemble)
