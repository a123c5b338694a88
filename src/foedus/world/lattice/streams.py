"""Random words for the streets: xoshiro256++ seeded by a keyed address, one or eight at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

from foedus.randomness import keyed_words
from foedus.world.lattice.machine import draw_eight, peek, poke

U = np.uint64
U0, U1 = U(0), U(1)
#: Generators behind a stream of many words, and the words of their state.
EIGHT = 8
STATE = 4 * EIGHT


@njit(forceinline=True)
def draw(s0, s1, s2, s3):
    """Return a xoshiro256++ word (Blackman & Vigna 2021, doi 10.1145/3460772) and a new state."""
    a = s0 + s3
    word = ((a << U(23)) | (a >> U(41))) + s0
    t = s1 << U(17)
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = (s3 << U(45)) | (s3 >> U(19))
    return word, s0, s1, s2, s3


@njit
def start(seed, run, purpose, city, day):
    """Return the 256-bit state of a stream from its address."""
    a, b = keyed_words(seed, run, purpose, city, day, U0)
    c, d = keyed_words(seed, run, purpose, city, day, U1)
    return a, b, c, d | U1  # never all zero


@njit(forceinline=True)
def get(address, i):
    """Return item ``i`` of the uint64 array at an address."""
    return peek(address, i, U0)


@njit(forceinline=True)
def put_word(address, i, value):
    """Write item ``i`` of the uint64 array at an address."""
    poke(address, i, value, U0)


@njit(forceinline=True)
def keep(state, stream, a, b, c, d):
    """Write the state of a stream into the array at ``state``, four words per stream."""
    i = stream << U(2)
    put_word(state, i, a)
    put_word(state, i + U(1), b)
    put_word(state, i + U(2), c)
    put_word(state, i + U(3), d)


@njit
def begin(state, stream, seed, run, purpose, city, day):
    """Start a stream whose state is kept in memory."""
    a, b, c, d = start(seed, run, purpose, city, day)
    keep(state, stream, a, b, c, d)


@njit
def next_word(state, stream):
    """Return the next word of a stream whose state is kept in memory."""
    i = stream << U(2)
    word, a, b, c, d = draw(
        get(state, i), get(state, i + U(1)), get(state, i + U(2)), get(state, i + U(3))
    )
    keep(state, stream, a, b, c, d)
    return word


@njit
def start_eight(state, first, seed, run, purpose, city, day):
    """Start the eight generators of a stream: number g from slots 2 g and 2 g + 1 of its address.

    Word i of the stream is word ``i // 8`` of generator ``i % 8``.
    """
    for g in range(U(EIGHT)):
        a, b = keyed_words(seed, run, purpose, city, day, U(2) * g)
        c, d = keyed_words(seed, run, purpose, city, day, U(2) * g + U1)
        place = first + g
        put_word(state, place, a)
        put_word(state, place + U(EIGHT), b)
        put_word(state, place + U(2 * EIGHT), c)
        put_word(state, place + U(3 * EIGHT), d | U1)


@njit
def fill(state, first, words, n):
    """Write the next ``n`` words, rounded up to a multiple of eight."""
    i = U0
    while i < n:
        draw_eight(state, first, words, i)
        i += U(EIGHT)
