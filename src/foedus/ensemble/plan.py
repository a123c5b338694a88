"""The plan of an ensemble: everything that decides its numbers, written before the first run."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import importlib
import json
import platform
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foedus import __version__
from foedus.ensemble.design import DESIGN_VERSION
from foedus.ensemble.proposal import Stage
from foedus.errors import StoreError
from foedus.randomness import STREAM_VERSION
from foedus.world.mechanism import Parameter
from foedus.world.priors import resolve

if TYPE_CHECKING:
    from foedus.case.models import Case
    from foedus.world.guidance import Guidance

#: Version of the layout on disk.
FORMAT = 1

#: Fields that may differ between two plans of the same ensemble: the number of runs and the batch
#: size, the name of the case file and the hash of all its text (``world_hash`` is compared
#: instead), and the number of stages so far (existing stages are compared one by one).
_FREE = ("runs", "batch", "case_name", "case_hash", "proposals")

_LIBRARIES = ("numpy", "numba", "scipy")

#: Source files that a run's numbers depend on.
_CODE = (
    *("world", "case/priors.py", "randomness.py"),
    *("ensemble/design.py", "ensemble/proposal.py", "ensemble/prior_matching.py"),
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of an ensemble.

    Attributes
    ----------
    case_id : str
    case_name : str
        The case as named on the command line: a shipped name or a path.
    case_hash : str
        Hash of the case with all its facts, questions and outcomes, when the store was made.
    world_hash : str
        Hash of the part that the world may depend on, see :func:`foedus.case.asof.case_hash`.
    as_of : str or None
        Known decisions up to this time are replayed; None replays nothing.
    seed : int
    runs : int
    batch : int
        Runs per batch, which is a chunk on disk.
    start : str
        First day, ISO.
    horizon : int
        Days.
    cities, members, parameters, parameter_units, hypotheses : tuple of str
    priors_hash : str
        Hash of all priors and limits, by hypothesis.
    guidance : dict
        ``days`` and ``not_by``, lists of (event, member, day), and ``facts``.
    versions : dict of str to str
        foedus, stream, design, store format, code, python, numpy, numba, scipy.
    evidence_hash : str or None
        Hash of the facts used by an adaptive ensemble; None for one drawn from the prior.
    proposals : dict
        ``stages``, as JSON, see :mod:`foedus.ensemble.proposal`; and, if the first runs were copied
        from another ensemble, ``begun`` with its ``as_of`` and ``runs`` (of the first, if several).
    """

    case_id: str
    case_name: str
    case_hash: str
    world_hash: str
    as_of: str | None
    seed: int
    runs: int
    batch: int
    start: str
    horizon: int
    cities: tuple[str, ...]
    members: tuple[str, ...]
    parameters: tuple[str, ...]
    parameter_units: tuple[str, ...]
    hypotheses: tuple[str, ...]
    priors_hash: str
    guidance: dict[str, Any]
    versions: dict[str, str]
    evidence_hash: str | None = None
    proposals: dict[str, Any] = field(default_factory=lambda: {"stages": []})

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The proposals of the later runs."""
        return tuple(Stage.from_json(s) for s in self.proposals["stages"])

    @property
    def batches(self) -> int:
        """Number of batches; the last may be partial."""
        return -(-self.runs // self.batch)

    def bounds(self, batch: int) -> tuple[int, int]:
        """Return a batch's first run, and one past its last."""
        first = batch * self.batch
        return first, min(first + self.batch, self.runs)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that identify everything that decides the numbers."""
        return _sha256(self._identity())[:8]

    def differences(self, other: Plan) -> list[str]:
        """Return the differences from ``other`` that would change the numbers."""
        mine, theirs = self._identity(), other._identity()
        found = []
        for name in mine:
            if mine[name] == theirs[name]:
                continue
            if name == "versions":
                pairs = [(k, mine[name].get(k), theirs[name].get(k)) for k in mine[name]]
                found += [f"{k} {a} against {b}" for k, a, b in pairs if a != b]
            elif name.endswith("_hash"):
                what = {
                    "world_hash": "the case",
                    "priors_hash": "the priors",
                    "evidence_hash": "the facts it uses",
                }[name]
                hashes = [str(h)[:8] for h in (mine[name], theirs[name])]
                found.append(f"{what} (hash {hashes[0]} against {hashes[1]})")
            else:
                found.append(f"{name} {_short(mine[name])} against {_short(theirs[name])}")
        if any(a != b for a, b in zip(self.stages, other.stages, strict=False)):
            found.append("the proposals of a stage")
        return found

    def command(self, out: object | None = None, *, resume: bool = False) -> str:
        """Return the command that makes these runs again.

        An adaptive ensemble is made by a forecast, which continues an interrupted one on its own.
        """
        verb = "run" if self.evidence_hash is None else "forecast"
        begun = self.proposals.get("begun")
        runs = self.runs if begun is None else begun["runs"]
        known = self.as_of if begun is None else f"{begun['as_of']}..{self.as_of}"
        words = ["foedus", verb, self.case_name, "--runs", str(runs)]
        words += ["--seed", str(self.seed)]
        words += ["--as-of", known] if known is not None else []
        words += ["--out", str(out)] if out is not None else []
        words += ["--resume"] if resume and verb == "run" else []
        return shlex.join(words)

    def staged(self, stage: Stage) -> Plan:
        """Return the same plan with one more stage."""
        stages = [*self.proposals["stages"], stage.to_json()]
        return replace(self, proposals={**self.proposals, "stages": stages})

    def grown(self, runs: int) -> Plan:
        """Return the same plan with a different number of runs."""
        return replace(self, runs=runs)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON data."""
        data: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return data

    @classmethod
    def from_json(cls, data: Any) -> Plan:
        """Read the data returned by :meth:`to_json`.

        Raises
        ------
        StoreError
            If it is not a plan of this layout.
        """
        try:
            kept = {f.name: data[f.name] for f in fields(cls)}
            for name, value in kept.items():
                kept[name] = tuple(map(str, value)) if isinstance(value, list) else value
            plan = cls(**kept)
            if plan.versions["store"] != str(FORMAT):
                raise StoreError(
                    f"the store has layout {plan.versions['store']}, this foedus reads {FORMAT}"
                )
            _check_types(plan)
            dt.date.fromisoformat(plan.start)
            _ = plan.stages
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise StoreError(f"the run plan is damaged: {error!r}") from None
        return plan

    def _identity(self) -> dict[str, Any]:
        return {k: v for k, v in self.to_json().items() if k not in _FREE}


def make_plan(
    case: Case,
    registry: Mapping[str, Parameter],
    guidance: Guidance,
    *,
    seed: int,
    runs: int,
    batch: int,
    as_of: str | None,
    evidence_hash: str | None = None,
) -> Plan:
    """Make the plan of an ensemble.

    Raises
    ------
    InputError
        If the case names a parameter that no mechanism declares.
    """
    from foedus.case.asof import case_hash

    names = tuple(registry)
    hashes = case_hash(case)
    return Plan(
        case_id=case.id,
        case_name=_case_name(case),
        case_hash=hashes.all,
        world_hash=hashes.world,
        as_of=as_of,
        seed=seed,
        runs=runs,
        batch=batch,
        start=case.start.isoformat(),
        horizon=case.horizon,
        cities=tuple(case.places),
        members=tuple(m.actor for m in case.alliance.members),
        parameters=names,
        parameter_units=tuple(registry[n].unit for n in names),
        hypotheses=tuple(h.id for h in case.hypotheses),
        priors_hash=_priors_hash(case, registry),
        guidance={
            "days": [[e, m, d] for (e, m), d in sorted(guidance.days.items())],
            "not_by": [[e, m, d] for (e, m), d in sorted(guidance.not_by.items())],
            "facts": sorted(guidance.facts),
            "kept": {event: list(shares) for event, shares in sorted(guidance.kept.items())},
        },
        versions=versions(),
        evidence_hash=evidence_hash,
    )


def day_dates(plan: Plan) -> NDArray[np.datetime64]:
    """Return the dates of the day axis."""
    start = np.datetime64(dt.date.fromisoformat(plan.start).isoformat(), "D")
    return (start + np.arange(plan.horizon)).astype("datetime64[ns]")


def _check_types(plan: Plan) -> None:
    """Raise ValueError if a value that was read has another type than in a new plan."""
    limits = {"seed": (0, 2**64), "runs": (1, 2**40), "batch": (1, 2**32), "horizon": (1, 2**20)}
    for name, (low, high) in limits.items():
        value = getattr(plan, name)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{name} {_short(value)}")
    texts = ("case_id", "case_name", "case_hash", "world_hash", "start", "priors_hash")
    for name in (*texts, "as_of", "evidence_hash"):
        value = getattr(plan, name)
        if not (isinstance(value, str) or (value is None and name not in texts)):
            raise ValueError(f"{name} {_short(value)}")
    for name in ("cities", "members", "parameters", "parameter_units", "hypotheses"):
        if not isinstance(getattr(plan, name), tuple):
            raise ValueError(f"{name} {_short(getattr(plan, name))}")
    if len(plan.parameters) != len(plan.parameter_units):
        raise ValueError("parameters and their units")
    if not all(isinstance(x, str) for item in plan.versions.items() for x in item):
        raise ValueError(f"versions {_short(plan.versions)}")
    if set(plan.versions) < {"foedus", "store", "code"}:
        raise ValueError(f"versions {_short(plan.versions)}")
    if not all(isinstance(plan.guidance[name], list) for name in ("days", "not_by", "facts")):
        raise ValueError(f"guidance {_short(plan.guidance)}")
    if not isinstance(plan.proposals["stages"], list):
        raise ValueError(f"stages {_short(plan.proposals)}")
    begun = plan.proposals.get("begun")
    if begun is not None and not (type(begun["runs"]) is int and isinstance(begun["as_of"], str)):
        raise ValueError(f"begun {_short(begun)}")


def versions() -> dict[str, str]:
    """Return the versions of everything that decides the numbers, on this machine."""
    return {
        "foedus": __version__,
        "stream": str(STREAM_VERSION),
        "design": str(DESIGN_VERSION),
        "store": str(FORMAT),
        "code": code_hash(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in _LIBRARIES},
    }


@functools.cache
def code_hash() -> str:
    """Return a hash of the source files that a run's numbers depend on, 12 hexadecimal digits."""
    root = resources.files("foedus")
    digest = hashlib.sha256()
    for name in _CODE:
        part = root.joinpath(name)
        for path, file in sorted(_python_files(name, part), key=lambda item: item[0]):
            digest.update(path.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@functools.cache
def package_hash() -> str:
    """Return a hash of all source of foedus: other code may give another answer."""
    root = Path(importlib.import_module("foedus").__file__ or "").parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _python_files(name: str, part: Traversable) -> list[tuple[str, Traversable]]:
    if part.is_file():
        return [(name, part)] if name.endswith(".py") else []
    return [f for child in part.iterdir() for f in _python_files(f"{name}/{child.name}", child)]


def _case_name(case: Case) -> str:
    from foedus.case.load import shipped

    stem = case.file.removesuffix(".yaml")
    return stem if stem in shipped() else case.file or case.id


def _priors_hash(case: Case, registry: Mapping[str, Parameter]) -> str:
    limits = {n: [p.unit, repr(p.low), repr(p.high)] for n, p in registry.items()}
    layers = [
        {n: prior.model_dump_json() for n, prior in resolve(case, dict(registry), h).items()}
        for h in (None, *case.hypotheses)
    ]
    return _sha256([limits, layers])


def _sha256(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:79] + "…"
