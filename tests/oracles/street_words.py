"""The random words of the streets in plain Python, and the draws made from them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from foedus.randomness import keyed_words, purpose_id
from foedus.world.lattice.streams import EIGHT

WORD = 2**64 - 1


def words(
    seed: int, run: int, purpose: str, city: int, day: int, generator: int = 0
) -> Iterator[int]:
    """Yield the words of one stream: xoshiro256++ started from its address."""
    address = (np.uint64(seed), run, purpose_id(purpose), city, day)
    slots = (2 * generator, 2 * generator + 1)
    s = [int(word) for slot in slots for word in keyed_words(*address, slot)]
    s[3] |= 1

    def rotl(x: int, n: int) -> int:
        return (x << n | x >> 64 - n) & WORD

    while True:
        yield (rotl((s[0] + s[3]) & WORD, 23) + s[0]) & WORD
        t = s[1] << 17 & WORD
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)


class Eights:
    """A stream of many words from eight generators, used in turn and advanced together."""

    def __init__(self, seed: int, run: int, purpose: str, city: int, day: int) -> None:
        self.generators = [words(seed, run, purpose, city, day, g) for g in range(EIGHT)]

    def take(self, n: int) -> list[int]:
        """Return the next ``n`` words; a last group of eight is used up even if only begun."""
        rounds = range(-(-n // EIGHT))
        return [next(generator) for _ in rounds for generator in self.generators][:n]


def pick(source: Iterator[int], size: int) -> int:
    """Return a number from 0 to size - 1, from the high half of word times size."""
    return scale(next(source), size)


def scale(word: int, size: int) -> int:
    """Return the high half of word times size."""
    return word * size >> 64
