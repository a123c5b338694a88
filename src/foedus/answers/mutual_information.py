"""Mutual information of a noisy reading and a class, from weighted runs.

Run i has weight w_i, belongs to class c_i of the answer, and gives reading r with
probability ``K[i, r]``. With ``p_cr = Σ w_i 1[c_i = c] K[i, r]`` the information in nats is

    I = Σ p_cr log(p_cr / (p_c p_r)).

With few runs it is biased upwards: chance alone gives each class other readings. To second order
the bias is

    ½ (Σ V[p_cr]/p_cr - Σ V[p_c]/p_c - Σ V[p_r]/p_r)    with V[p] = Σ w_i² (f_i - p)²,

the sampling variance of a weighted mean. For equal weights and exact readings it is the correction
of Miller (1955), as in Roulston (1999, doi 10.1016/S0167-2789(98)00269-3). It is subtracted.

Where class and reading are independent, I is ``½ Σ λ_k χ²₁`` with the
eigenvalues λ of the covariance of ``(p_cr - p_c p_r) / √(p_c p_r)``. The test against it matches
mean and variance by one gamma distribution (Satterthwaite 1946, doi 10.2307/3002019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Information:
    """The information in a reading, in bits.

    Attributes
    ----------
    bits : float
        Expected information, corrected for the bias of few runs; may be below 0 by chance.
    error : float
        Its Monte-Carlo standard error.
    excess : float
        The correction.
    p_value : float
        Probability that chance alone gives as much.
    """

    bits: float
    error: float
    excess: float
    p_value: float


NOTHING = Information(0.0, 0.0, 0.0, 1.0)
#: Less information than this, in nats, is rounding.
ROUNDING = 1e-9


def entropy(p: FloatArray) -> float:
    """Return the entropy of a distribution in bits, 0 log 0 being 0."""
    return float(special.entr(p).sum() / math.log(2.0))


def information(
    target: IntArray, cell: IntArray, channel: FloatArray, weight: FloatArray
) -> Information:
    """Return the information of a noisy reading about a class.

    Parameters
    ----------
    target : ndarray of int, shape (run,)
        Class of each run, from 0.
    cell : ndarray of int, shape (run,)
        Row of the channel that each run has.
    channel : ndarray, shape (cell, reading)
        Probability of each reading; rows sum to 1.
    weight : ndarray, shape (run,)
        Sums to 1.
    """
    used, target = np.unique(target[weight > 0], return_inverse=True)
    cell, weight = cell[weight > 0], weight[weight > 0]
    if used.size < 2:
        return NOTHING
    shape = (used.size, channel.shape[0])
    place = target * shape[1] + cell
    once = np.bincount(place, weight, shape[0] * shape[1]).reshape(shape)
    twice = np.bincount(place, weight**2, shape[0] * shape[1]).reshape(shape).astype(np.float64)
    size = float(twice.sum())
    joint = once @ channel
    channel = channel[:, joint.sum(axis=0) > 0]
    joint = once @ channel
    p_class, p_reading = joint.sum(axis=1), joint.sum(axis=0)
    here = joint > 0
    ratio = np.zeros_like(joint)
    ratio[here] = np.log(joint[here] / np.outer(p_class, p_reading)[here])
    raw = float((joint * ratio).sum())
    if raw < ROUNDING:
        return NOTHING

    def variance(squares: FloatArray, sums: FloatArray, p: FloatArray) -> FloatArray:
        return squares - 2.0 * p * sums + p**2 * size

    square = channel**2
    of_joint = variance(twice @ square, twice @ channel, joint)
    of_reading = variance(twice.sum(axis=0) @ square, twice.sum(axis=0) @ channel, p_reading)
    of_class = variance(twice.sum(axis=1), twice.sum(axis=1), p_class)
    excess = 0.5 * float(
        (of_joint[here] / joint[here]).sum()
        - (of_reading / p_reading).sum()
        - (of_class / p_class).sum()
    )
    mean, spread = _by_chance(twice, channel, p_class, p_reading)
    p_value = 1.0
    if mean > 0.0 and spread > 0.0:
        p_value = float(special.gammaincc(mean**2 / spread, raw * mean / spread))
    own = ratio @ channel.T - raw
    error = math.sqrt(float((twice * own**2).sum()) + spread)
    bits = 1.0 / math.log(2.0)
    return Information((raw - excess) * bits, error * bits, excess * bits, p_value)


def _by_chance(
    twice: FloatArray, channel: FloatArray, p_class: FloatArray, p_reading: FloatArray
) -> tuple[float, float]:
    """Return mean and variance, in nats, of the information by chance alone."""
    of_class = (np.eye(p_class.size) - p_class) / np.sqrt(p_class)
    of_reading = (channel - p_reading) / np.sqrt(p_reading)
    moment = np.einsum("gr,cg,gs->crs", of_reading, twice, of_reading, optimize=True)
    gram = of_class @ of_class.T
    traces = np.einsum("crr->c", moment)
    products = np.einsum("crs,drs->cd", moment, moment, optimize=True)
    return 0.5 * float(np.diag(gram) @ traces), 0.5 * float((gram**2 * products).sum())
