"""The fixed data of a case that the mechanisms need, as arrays; the same for all runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.case.models import Case

FloatArray = NDArray[np.float64]
EARTH_RADIUS_KM = 6371.0088


def great_circle_km(lat: FloatArray, lon: FloatArray) -> FloatArray:
    """Return great-circle distances between all pairs of points, in km (haversine formula)."""
    phi, lam = np.radians(lat), np.radians(lon)
    dphi = phi[:, None] - phi[None, :]
    dlam = lam[:, None] - lam[None, :]
    h = np.sin(dphi / 2) ** 2 + np.cos(phi[:, None]) * np.cos(phi[None, :]) * np.sin(dlam / 2) ** 2
    return np.asarray(2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))))


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The fixed data of a case.

    Attributes
    ----------
    horizon, ticks_per_day : int
    cities, members : tuple of str
        Identifiers, in the order of the city and member axes.
    population : (C,)
        People.
    lattice : (C,) of int
        Side of each city's lattice.
    distance : (C, C)
        Kilometres between cities.
    lead, requester : int
        Positions on the member axis.
    rule : str
        Decision rule, see ``foedus.case.vocabulary.RULES``.
    pool, pledge, coalition_changed, power_shift, ratification_days : (M,)
        Member attributes; the second to fourth are 0 or 1.
    member_distance : (M,)
        Kilometres from the member to the nearest city of the case.
    announced_pool : float
    aggression_test, lead_other_war : bool
    air_distance : float
        Kilometres from the lead's bases to the place of arrival.
    contiguous : (M,)
        1 where the member borders the requester.
    ties : dict of str to float
        border_km, foreign_firms, sanctions, dependence_on_lead.
    patrons : tuple of str
    patron_alliance : (P,) of bool
    patron_dependence : (P,)
    triggers : tuple of (day, city)
        Shocks; their sizes are the parameters ``trigger.<n>``.
    """

    horizon: int
    ticks_per_day: int
    cities: tuple[str, ...]
    members: tuple[str, ...]
    population: FloatArray
    lattice: NDArray[np.int64]
    distance: FloatArray
    lead: int
    requester: int
    rule: str
    pool: FloatArray
    pledge: FloatArray
    coalition_changed: FloatArray
    power_shift: FloatArray
    ratification_days: FloatArray
    contiguous: FloatArray
    announced_pool: float
    aggression_test: bool
    lead_other_war: bool
    air_distance: float
    ties: dict[str, float]
    patrons: tuple[str, ...]
    patron_alliance: NDArray[np.bool_]
    patron_dependence: FloatArray
    triggers: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, case: Case) -> Setting:
        """Read the frame from a case."""
        cities = tuple(case.places)
        places = [case.places[c] for c in cities]
        ally = case.alliance
        members = tuple(m.actor for m in ally.members)

        def column(name: str) -> FloatArray:
            return np.array([float(getattr(m, name)) for m in ally.members], dtype=np.float64)

        return cls(
            horizon=case.horizon,
            ticks_per_day=case.ticks_per_day,
            cities=cities,
            members=members,
            population=np.array([p.population for p in places], dtype=np.float64),
            lattice=np.array([p.lattice for p in places], dtype=np.int64),
            distance=great_circle_km(
                np.array([p.lat for p in places]), np.array([p.lon for p in places])
            ),
            lead=members.index(ally.lead),
            requester=members.index(ally.requester),
            rule=ally.rule,
            pool=column("pool"),
            pledge=column("public_pledge_not_to_send"),
            coalition_changed=column("changed_ruling_coalition"),
            power_shift=column("power_shift"),
            ratification_days=column("ratification_days"),
            contiguous=column("contiguous"),
            announced_pool=float(ally.announced_pool),
            aggression_test=ally.aggression_test,
            lead_other_war=ally.lead_in_other_war,
            air_distance=ally.distance_km,
            ties={
                "border_km": case.ties.border_km,
                "foreign_firms": case.ties.foreign_firms,
                "sanctions": case.ties.sanctions,
                "dependence_on_lead": case.ties.dependence_on_lead,
            },
            patrons=tuple(p.actor for p in ally.patrons),
            patron_alliance=np.array([p.through_alliance for p in ally.patrons], dtype=np.bool_),
            patron_dependence=np.array([p.dependence for p in ally.patrons], dtype=np.float64),
            triggers=tuple((case.day(t.date), cities.index(t.place)) for t in case.triggers),
        )
