from __future__ import annotations

import pytest

MINIMAL = """\
foedus: 1
id: small
title: A small case
summary: Two cities, three states, one alliance.
timezone_offset: 6
start: 2022-01-02
horizon: 20
as_of: 2022-01-07
sources:
  agency: {name: An agency}
places:
  north:
    name: North
    lat: 50.0
    lon: 60.0
    population: 100000
  south: {name: South, lat: 45.0, lon: 65.0, population: 50000}
actors:
  home: {name: Home, roles: [government, member]}
  chief: {name: The chief, roles: [leader], part_of: home}
  big: {name: Big, roles: [member, lead]}
  tiny: {name: Tiny, roles: [member]}
alliance:
  name: The alliance
  rule: unanimity
  lead: big
  requester: home
  members:
    - {actor: big, lat: 55, lon: 40, pool: 2000}
    - {actor: tiny, lat: 42, lon: 74, pool: 100}
    - {actor: home, lat: 50, lon: 60, pool: 0}
triggers:
  - place: north
    date: 2022-01-02
    loss: {dist: uniform, low: 0.1, high: 0.4}
    text: A price doubles.
calendar:
  - {date: 2022-01-10, known_from: 2021-12-28, text: Talks.}
  - {date: 2022-01-19, known_from: 2022-01-05, text: The emergency ends.}
facts:
  - id: crowd-3
    about: 2022-01-03
    known_from: 2022-01-04T08:00
    quantity: crowd
    place: north
    value: about 500
    source: agency
    rating: B2
    text: A crowd.
  - id: request
    about: 2022-01-05
    known_from: 2022-01-06
    quantity: request
    value: true
    source: agency
    rating: A1
    speaker: chief
    text: Help is asked for.
priors:
  streets.vision: {dist: fixed, value: 7}
mechanisms: {outside: false}
hypotheses:
  - {id: treaty, title: Treaty, says: They must., put_forward_by: Them}
questions:
  - id: landed
    text: Do they land?
    kind: binary
    ask: {quantity: first_arrival, statistic: happens, by_date: 2022-01-14}
  - id: deaths
    text: How many die?
    kind: number
    ask: {quantity: deaths_total, statistic: at, by_date: 2022-01-15}
  - id: leaving
    text: When do they leave?
    kind: date
    ask: {quantity: withdrawal_start, statistic: first_day}
outcomes:
  - {question: landed, value: true, known_from: 2022-01-10, source: agency}
  - {question: deaths, value: 225, known_from: 2022-01-15, source: agency}
  - {question: leaving, value: null, known_from: 2022-01-21, source: agency}
"""


@pytest.fixture
def minimal() -> str:
    return MINIMAL
