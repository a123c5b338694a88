"""Prior distributions, as stated by a case file or a mechanism."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Origin = Literal["literature", "casebook", "case", "elicited"]
FloatArray = NDArray[np.float64]


def _check_order(low: float | None, high: float | None) -> None:
    if low is not None and high is not None and not low < high:
        raise ValueError(f"low must be below high, got low {low:g} and high {high:g}")


class _Prior(BaseModel):
    """Common to all priors: their origin."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    origin: Origin = Field("elicited", description="Where the prior comes from.")
    source: str = Field("elicited", description="Reference (a source id, DOI or 'elicited').")

    def quantile(self, u: FloatArray) -> FloatArray:
        """Return the values at probabilities ``u`` in (0, 1), same shape."""
        raise TypeError("a prior without a distribution has no quantiles")  # pragma: no cover


class Fixed(_Prior):
    """A known constant."""

    dist: Literal["fixed"] = "fixed"
    value: float

    def quantile(self, u: FloatArray) -> FloatArray:
        """Return ``value`` everywhere."""
        return np.full(u.shape, self.value)


class Normal(_Prior):
    """Normal with mean and standard deviation, optionally truncated to [low, high]."""

    dist: Literal["normal"]
    mean: float
    sd: Annotated[float, Field(gt=0)]
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_order(self.low, self.high)
        return self

    def quantile(self, u: FloatArray) -> FloatArray:
        """Return normal quantiles, by inversion of the truncated distribution."""
        from scipy.special import ndtr, ndtri

        a = 0.0 if self.low is None else float(ndtr((self.low - self.mean) / self.sd))
        b = 1.0 if self.high is None else float(ndtr((self.high - self.mean) / self.sd))
        return np.asarray(self.mean + self.sd * ndtri(a + (b - a) * u), dtype=np.float64)


class LogNormal(_Prior):
    """Log-normal with median and standard deviation of the logarithm."""

    dist: Literal["lognormal"]
    median: Annotated[float, Field(gt=0)]
    sd_log: Annotated[float, Field(gt=0)]

    def quantile(self, u: FloatArray) -> FloatArray:
        """Return log-normal quantiles."""
        from scipy.special import ndtri

        return np.asarray(self.median * np.exp(self.sd_log * ndtri(u)), dtype=np.float64)


class Uniform(_Prior):
    """Uniform on [low, high]."""

    dist: Literal["uniform"]
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_order(self.low, self.high)
        return self

    def quantile(self, u: FloatArray) -> FloatArray:
        """Return uniform quantiles."""
        return self.low + (self.high - self.low) * u


class Beta(_Prior):
    """Beta with mean and concentration (a = mean·n, b = (1 - mean)·n), scaled to [low, high]."""

    dist: Literal["beta"]
    mean: Annotated[float, Field(gt=0, lt=1)]
    n: Annotated[float, Field(gt=0)]
    low: float = 0.0
    high: float = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_order(self.low, self.high)
        return self

    def quantile(self, u: FloatArray) -> FloatArray:
        """Return beta quantiles."""
        from scipy.special import betaincinv

        x = betaincinv(self.mean * self.n, (1.0 - self.mean) * self.n, u)
        return np.asarray(self.low + (self.high - self.low) * x, dtype=np.float64)


class Gamma(_Prior):
    """Gamma with mean and shape."""

    dist: Literal["gamma"]
    mean: Annotated[float, Field(gt=0)]
    shape: Annotated[float, Field(gt=0)]

    def quantile(self, u: FloatArray) -> FloatArray:
        """Return gamma quantiles."""
        from scipy.special import gammaincinv

        return np.asarray(gammaincinv(self.shape, u) * self.mean / self.shape, dtype=np.float64)


class Choice(_Prior):
    """One of several options, numbered from 0, with weights."""

    dist: Literal["choice"]
    options: tuple[str, ...] = Field(min_length=1)
    weights: tuple[Annotated[float, Field(ge=0)], ...] = ()

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        if self.weights and len(self.weights) != len(self.options):
            raise ValueError(f"{len(self.options)} options need as many weights")
        if self.weights and sum(self.weights) <= 0:
            raise ValueError("weights must not all be zero")
        return self

    def quantile(self, u: FloatArray) -> FloatArray:
        """Return the number of the option, as a float."""
        weights = np.asarray(self.weights or (1.0,) * len(self.options), dtype=np.float64)
        edges = np.cumsum(weights)[:-1] / weights.sum()
        return np.searchsorted(edges, u, side="right").astype(np.float64)


Prior = Annotated[
    Fixed | Normal | LogNormal | Uniform | Beta | Gamma | Choice, Field(discriminator="dist")
]
