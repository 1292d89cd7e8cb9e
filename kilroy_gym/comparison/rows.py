"""A row of the table: an agent, cold or warm-started, over its seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kilroy_gym._records import Floats
from kilroy_gym.comparison.measures import MEASURES, WINDOW, Measured, measure
from kilroy_gym.comparison.results import RunResult
from kilroy_gym.comparison.statistics import Estimate, estimate, iqm
from kilroy_gym.envs.feed import running_mean

CURVE_POINTS, CURVE_RESAMPLES, CURVE_START = 200, 1000, 10


@dataclass(frozen=True)
class Curve:
    """How an agent learned: the mean level of the last 100 posts, over seeds.

    Attributes:
        posts: Numbers of posts, int64 of shape ``(points,)``.
        level: Over seeds; the arrays have the same shape.
        best: The best level at that time, or ``None`` where no truth is known; likewise.
    """

    posts: Any
    level: Estimate
    best: Floats | None


@dataclass(frozen=True)
class Row:
    """An agent, cold or warm-started.

    Attributes:
        agent: Its name.
        warm_start: Whether it was warm-started.
        runs: The measures of its finished runs, by seed.
        posts: The posts that each run made; the fewest, where they differ.
        rollout: The posts between two updates, in the agent's own words.
        notes: What was warned about during its runs.
        estimates: Over seeds, by measure; ``None`` where the measure is not known.
        curve: How it learned.
    """

    agent: str
    warm_start: bool
    runs: dict[int, Measured]
    posts: int
    rollout: str
    notes: tuple[str, ...]
    estimates: dict[str, Estimate | None]
    curve: Curve

    @property
    def label(self) -> str:
        """How the row is called in a sentence."""
        return f"{self.agent}, {'warm' if self.warm_start else 'cold'}"

    @property
    def reached(self) -> int | None:
        """How many runs arrived, where that is known."""
        arrived = [run.reached for run in self.runs.values()]
        return None if None in arrived else sum(map(bool, arrived))

    def as_json(self) -> dict[str, Any]:
        """Returns what ``summary.json`` says about it."""
        measures = {
            name: None if found is None else found.as_json()
            for name, found in self.estimates.items()
        }
        return {
            "agent": self.agent,
            "warm_start": self.warm_start,
            "seeds": len(self.runs),
            "posts": self.posts,
            "round": self.rollout,
            "reached": self.reached,
            **measures,
            "notes": list(self.notes),
        }


def row_of(
    agent: str,
    warm_start: bool,
    results: dict[int, RunResult],
    levels: dict[int, Floats | None],
    best: float | None,
    budget: int,
) -> Row:
    """Measures the runs of a row.

    Args:
        agent: Name of the agent.
        warm_start: Whether it was warm-started.
        results: At least one finished run, by seed.
        levels: The uniform levels of each world, by seed.
        best: The best level, where no truth is known.
        budget: The posts that each run was given.
    """
    runs = {seed: measure(result, levels[seed], best, budget) for seed, result in results.items()}
    posts = min(len(result.scores) for result in results.values())
    rollouts = dict.fromkeys(result.rollout for result in results.values())
    notes = dict.fromkeys(note for result in results.values() for note in result.notes)
    estimates: dict[str, Estimate | None] = {}
    for name in MEASURES:
        values = [getattr(run, name) for run in runs.values()]
        estimates[name] = None if None in values else estimate(values)
    curve = _curve(list(results.values()), posts)
    rollout = ", ".join(rollouts)
    return Row(agent, warm_start, runs, posts, rollout, tuple(notes), estimates, curve)


def _curve(results: Sequence[RunResult], posts: int) -> Curve:
    start = min(CURVE_START, posts)  # the mean of fewer posts than that would show noise alone
    numbers = np.unique(np.linspace(start, posts, CURVE_POINTS).astype(np.int64))

    def means(values: Floats) -> Floats:
        return running_mean(values, WINDOW)[numbers - 1]

    level = estimate([means(result.levels) for result in results], CURVE_RESAMPLES)
    bests = [result.best_scores for result in results]
    known = [means(best) for best in bests if best is not None]
    return Curve(numbers, level, iqm(known) if len(known) == len(bests) else None)
