"""Starting audiences and measuring what they do."""

from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

IMPLAUSIBLE = 1e-4
"""So rare is it that a right audience fails a test here, on another stream of random numbers."""


def started(kind: Any, seed: int = 0, **kwargs: Any) -> tuple[Any, np.random.Generator]:
    """Returns an audience at the start of the world with that seed, and its random stream."""
    audience, rng = kind(**kwargs), np.random.default_rng(seed)
    audience.restart(rng)
    return audience, rng


def expected_of_all(audience: Any, count: int) -> npt.NDArray[np.float64]:
    """Returns what each topic would be expected to score in each of the next posts, (n, k)."""
    rng = np.random.default_rng(0)
    topics = range(len(audience.codec.choices))
    return np.stack(
        [deepcopy(audience).respond(np.full(count, topic), rng)[1] for topic in topics], axis=1
    )


def assert_standard_normal(values: npt.NDArray[np.float64]) -> None:
    """Refuses what is no sample of the standard normal distribution."""
    assert stats.kstest(values, "norm").pvalue > IMPLAUSIBLE
    assert values.mean() == pytest.approx(0, abs=4 / np.sqrt(len(values)))
    assert values.var() == pytest.approx(1, abs=4 * np.sqrt(2 / len(values)))


def assert_counts(counts: npt.NDArray[np.int64], shares: npt.NDArray[np.float64]) -> None:
    """Refuses counts that do not go with these probabilities."""
    expected = shares * counts.sum()
    assert expected.min() > 5
    assert stats.chisquare(counts, expected).pvalue > IMPLAUSIBLE


def wave(values: npt.NDArray[np.float64], angles: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Returns mean, amplitude and phase of the wave that the values are, (n,), and its error."""
    parts = np.stack([np.ones_like(angles), np.cos(angles), np.sin(angles)], axis=1)
    (mean, cosine, sine), *_ = np.linalg.lstsq(parts, values, rcond=None)
    error = float(np.abs(parts @ [mean, cosine, sine] - values).max())
    return mean, np.hypot(cosine, sine), np.arctan2(sine, cosine) % (2 * np.pi), error
