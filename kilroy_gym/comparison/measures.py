"""What is measured of a run: each measure is one object in ``MEASURES``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kilroy_gym._records import Floats, mean_of_share
from kilroy_gym.comparison.results import RunResult
from kilroy_gym.envs.feed import running_mean

WINDOW = 100
"""Length, in posts, of the moving average behind ``posts_to_95`` and the learning curves."""

SHARE = 0.95
"""Share of the way from uniform to best at which an agent has arrived."""

Values = dict[str, float | None]
"""The measures of one run by name; ``None`` for those that are not known."""


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, and what it is measured against.

    Attributes:
        result: What the run left.
        uniform: The level of the uniform policy at the time of each post, float64 of shape
            ``(posts,)``; ``None`` where posts cannot be made at random.
        best: The best level at the time of each post, in the same form; ``None`` where nothing
            is known about it.
        budget: How many posts the run was allowed.
    """

    result: RunResult
    uniform: Floats | None
    best: Floats | None
    budget: int


@dataclass(frozen=True)
class Measure:
    """One figure of a run, and how it is compared, shown and explained.

    Attributes:
        name: Its key in ``summary.json``.
        title: The heading of its column.
        meaning: What the report says about it, as plain text.
        formula: Computes it from a run; ``None`` where it is not known.
        higher_is_better: ``None`` where neither direction is better.
        rank: Its priority for ranking agents, 1 first; ``None`` where it never ranks them. The
            first one that is known for every row is used.
        summed: Whether it grows with the number of posts, so that it can rank only rows that
            made equally many.
        counted: Whether the formula answers yes or no. Then the runs that say yes are counted;
            otherwise the values are averaged over seeds.
        decimals: Decimals shown.
        one_decimal_from: From this size on, at most one decimal is shown.
    """

    name: str
    title: str
    meaning: str
    formula: Callable[[FinishedRun], float | None]
    higher_is_better: bool | None = None
    rank: int | None = None
    summed: bool = False
    counted: bool = False
    decimals: int = 3
    one_decimal_from: float = 100

    def __post_init__(self) -> None:
        """Refuses to rank by what has no better and worse.

        Raises:
            ValueError: It ranks agents without saying which direction is better, or is a count.
        """
        if self.rank is not None and (self.higher_is_better is None or self.counted):
            raise ValueError(
                f"measure {self.name!r} has rank {self.rank}, so it must say whether "
                "higher_is_better, and must not be counted"
            )

    def text(self, value: float) -> str:
        """Returns a value the way readers see it."""
        coarse = abs(value) >= self.one_decimal_from
        return f"{value:,.{min(self.decimals, 1) if coarse else self.decimals}f}"


def measure(
    result: RunResult,
    uniform: Floats | None,
    best: float | None,
    budget: int,
    measures: Sequence[Measure] | None = None,
) -> Values:
    """Measures a run.

    Args:
        result: The run.
        uniform: What :func:`~kilroy_gym.comparison.uniform.uniform_levels` gives for its world:
            float64 of shape ``(budget,)``, or ``None``.
        best: The best level, used where the truth is not known.
        budget: How many posts the run was allowed.
        measures: What to measure; ``None`` for ``MEASURES``.
    """
    posts, bests = len(result.scores), result.best_scores
    if bests is None and best is not None:
        bests = np.full(posts, best)
    run = FinishedRun(result, None if uniform is None else uniform[:posts], bests, budget)
    return {each.name: each.formula(run) for each in (MEASURES if measures is None else measures)}


def arrival(levels: Floats, uniform: Floats, best: Floats) -> int | None:
    """Returns the first post at which an agent has come 95% of the way from uniform to best.

    Each post is judged by the means of the last 100 levels of the agent, of uniform and of best,
    so a best that drifts is followed. Only full windows count: no agent arrives before its 100th
    post.

    Args:
        levels: Expected scores of the posts that were made (scores, where the truth is not
            known); float64 of shape ``(posts,)``.
        uniform: The level of the uniform policy at the time of each post, in the same form.
        best: The best level at the time of each post, in the same form.

    Returns:
        The number of the post, counted from 1, or ``None`` if the agent never arrives.
    """
    level, start, goal = (running_mean(values, WINDOW) for values in (levels, uniform, best))
    rounding = 1e-9 * np.maximum(1.0, np.maximum(np.abs(start), np.abs(goal)))
    arrived = level >= start + SHARE * (goal - start) - rounding
    posts = np.flatnonzero(arrived[WINDOW - 1 :])
    return int(posts[0]) + WINDOW if posts.size else None


def final_score(result: RunResult) -> float:
    """Returns the mean score of the last tenth of a run."""
    return mean_of_share(result.scores, 0.9, 1.0)


def _regret(run: FinishedRun) -> float | None:
    best, expected = run.result.best_scores, run.result.expected_scores
    return None if best is None or expected is None else float(np.sum(best - expected))


def _posts_to_95(run: FinishedRun) -> float | None:
    if run.uniform is None or run.best is None:
        return None
    return float(arrival(run.result.levels, run.uniform, run.best) or run.budget)


def _reached(run: FinishedRun) -> bool | None:
    if run.uniform is None or run.best is None:
        return None
    return arrival(run.result.levels, run.uniform, run.best) is not None


MEAN_SCORE = Measure(
    name="mean_score",
    title="mean score",
    meaning="Mean score per post over the whole run.",
    formula=lambda run: float(np.mean(run.result.scores)),
    higher_is_better=True,
    rank=2,
)

MEASURES = (
    MEAN_SCORE,
    Measure(
        name="regret",
        title="regret",
        meaning=(
            "For each post, the best expected score that any post could have had at that moment, "
            "minus the expected score of the post that was made; summed over the run. This is "
            "what learning cost."
        ),
        formula=_regret,
        higher_is_better=False,
        rank=1,  # it has less noise than the mean score
        summed=True,
        decimals=1,
    ),
    Measure(
        name="posts_to_95",
        title="posts to 95%",
        meaning=(
            "The first post at which the mean of the last 100 expected scores (scores, where the "
            "audience's truth is not known) has come 95% of the way from uniformly random posts "
            "to the best. No run arrives before its 100th post. A run that never arrives counts "
            "as its whole budget."
        ),
        formula=_posts_to_95,
        higher_is_better=False,
        decimals=0,
    ),
    Measure(
        name="reached",
        title="reached",
        meaning="How many of the runs came 95% of the way.",
        formula=_reached,
        higher_is_better=True,
        counted=True,
    ),
    Measure(
        name="final_score",
        title="final score",
        meaning="Mean score per post over the last tenth of the run: where the agent ended up.",
        formula=lambda run: final_score(run.result),
        higher_is_better=True,
    ),
    Measure(
        name="wall_s",
        title="seconds",
        meaning=(
            "Time for the warm start and the posting, on the machine that played the run; other "
            "runs may have shared it."
        ),
        formula=lambda run: run.result.wall_s,
        one_decimal_from=1,
    ),
)
"""Every measure, in the order of the columns. A further one goes here, and nowhere else."""
