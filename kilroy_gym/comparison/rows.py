"""A row of the table: an agent, cold or warm-started, over its seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym._records import Floats
from kilroy_gym.comparison.measures import WINDOW, Measure, Values, measure
from kilroy_gym.comparison.plan import start_word
from kilroy_gym.comparison.results import RunResult
from kilroy_gym.comparison.statistics import Estimate, estimate, iqm
from kilroy_gym.envs.feed import running_mean

CURVE_POINTS, CURVE_RESAMPLES, CURVE_START = 200, 1000, 10


@dataclass(frozen=True)
class Curve:
    """How an agent learned: the mean level of the last 100 posts, over seeds.

    Attributes:
        posts: Numbers of posts, counted from 1; int64 of shape ``(points,)``.
        level: The mean level at each of them; arrays of shape ``(points,)``.
        best: The best level at that time, float64 of shape ``(points,)``, or ``None`` where the
            truth is not known.
    """

    posts: npt.NDArray[np.int64]
    level: Estimate
    best: Floats | None


@dataclass(frozen=True)
class Row:
    """An agent, cold or warm-started.

    Attributes:
        agent: Its name.
        warm_start: Whether it was warm-started.
        runs: The measures of its finished runs, by seed.
        posts: How many posts each run made; the fewest, where they differ.
        rollout: The posts between two updates, in the agent's own words.
        notes: The warnings of its runs, each once.
        estimates: The measures that are averaged over seeds, by name; ``None`` where unknown.
        counts: For each measure that is counted, how many runs say yes; ``None`` where unknown.
        curve: How it learned.
    """

    agent: str
    warm_start: bool
    runs: dict[int, Values]
    posts: int
    rollout: str
    notes: tuple[str, ...]
    estimates: dict[str, Estimate | None]
    counts: dict[str, int | None]
    curve: Curve

    @property
    def start(self) -> str:
        """How it started, in a word."""
        return start_word(self.warm_start)

    @property
    def label(self) -> str:
        """Its name in a sentence."""
        return f"{self.agent}, {self.start}"

    def values(self, name: str) -> dict[int, float]:
        """Returns the known values of a measure, by seed."""
        values = {seed: run[name] for seed, run in self.runs.items()}
        return {seed: value for seed, value in values.items() if value is not None}

    def as_json(self) -> dict[str, Any]:
        """Returns what ``summary.json`` says about the row."""
        return {
            "agent": self.agent,
            "warm_start": self.warm_start,
            "seeds": len(self.runs),
            "posts": self.posts,
            "round": self.rollout,
            **self.counts,
            **{name: found and found.as_json() for name, found in self.estimates.items()},
            "notes": list(self.notes),
        }


def row_of(
    agent: str,
    warm_start: bool,
    results: Mapping[int, RunResult],
    levels: Mapping[int, Floats | None],
    best: float | None,
    budget: int,
    measures: Sequence[Measure],
) -> Row:
    """Measures the runs of a row.

    Args:
        agent: Name of the agent.
        warm_start: Whether it was warm-started.
        results: The finished runs by seed, at least one.
        levels: The uniform levels of each world by seed, each float64 of shape ``(budget,)``.
        best: The best level, used where the truth is not known.
        budget: How many posts each run was allowed.
        measures: What to measure.
    """
    runs = {
        seed: measure(result, levels[seed], best, budget, measures)
        for seed, result in results.items()
    }
    estimates: dict[str, Estimate | None] = {}
    counts: dict[str, int | None] = {}
    for each in measures:
        values = [value for run in runs.values() if (value := run[each.name]) is not None]
        known = len(values) == len(runs)
        if each.counted:
            counts[each.name] = sum(map(bool, values)) if known else None
        else:
            estimates[each.name] = estimate(values) if known else None
    posts = min(len(result.scores) for result in results.values())
    rollouts = dict.fromkeys(result.rollout for result in results.values())
    notes = dict.fromkeys(note for result in results.values() for note in result.notes)
    return Row(
        agent,
        warm_start,
        runs,
        posts,
        ", ".join(rollouts),
        tuple(notes),
        estimates,
        counts,
        _curve(list(results.values()), posts),
    )


def _curve(results: Sequence[RunResult], posts: int) -> Curve:
    start = min(CURVE_START, posts)  # the mean of fewer posts would show only noise
    numbers = np.unique(np.linspace(start, posts, CURVE_POINTS).astype(np.int64))

    def means(values: Floats) -> Floats:
        return running_mean(values, WINDOW)[numbers - 1]

    level = estimate([means(result.levels) for result in results], CURVE_RESAMPLES)
    bests = [result.best_scores for result in results]
    known = [means(best) for best in bests if best is not None]
    return Curve(numbers, level, iqm(known) if len(known) == len(bests) else None)
