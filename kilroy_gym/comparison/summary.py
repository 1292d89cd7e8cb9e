"""What the results of all runs show: the content of the table, the files and the report."""

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import kilroy_gym
from kilroy_gym.comparison.measures import MEASURES, Measure, final_score
from kilroy_gym.comparison.plan import Contender, Plan
from kilroy_gym.comparison.results import RunResult
from kilroy_gym.comparison.rows import Row, row_of
from kilroy_gym.comparison.runner import Failure, result_file
from kilroy_gym.comparison.statistics import Estimate, difference, iqm
from kilroy_gym.comparison.uniform import uniform_levels


@dataclass(frozen=True)
class Verdict:
    """How far a row is from the leader.

    Attributes:
        row: The row.
        difference: The row minus the leader, or ``None`` if no seed was finished by both.
        within_noise: Whether the interval of the difference contains 0; ``None`` where there are
            fewer than two seeds to tell by.
    """

    row: Row
    difference: Estimate | None
    within_noise: bool | None


@dataclass(frozen=True)
class Summary:
    """What a comparison found.

    Attributes:
        plan: What was compared.
        measures: What was measured, in the order of the columns.
        rows: Every agent and warm start with a finished run, the best first.
        ranking: The measure that they are ranked by.
        verdicts: How far each of the others is from the first.
        failures: The runs that failed.
        uniform_score: Mean level of uniformly random posts, or ``None`` without a codec.
        best_score: Mean best level. Where the truth is not known, the highest final score of a
            row, or the uniform level if that is higher.
    """

    plan: Plan
    measures: tuple[Measure, ...]
    rows: tuple[Row, ...]
    ranking: Measure
    verdicts: tuple[Verdict, ...]
    failures: tuple[Failure, ...]
    uniform_score: float | None
    best_score: float | None

    @property
    def ranked_by(self) -> str:
        """Name of the measure that rows are ranked by."""
        return self.ranking.name

    def as_json(self) -> dict[str, Any]:
        """Returns the content of ``summary.json``; agents are in the order of the plan."""
        names = [agent.name for agent in self.plan.agents]
        rows = sorted(self.rows, key=lambda row: (names.index(row.agent), row.warm_start))
        return {
            **{k: v for k, v in self.plan.settings().items() if k not in ("agents", "kilroy_gym")},
            "agents": [row.as_json() for row in rows],
            "ranked_by": self.ranked_by,
            "leader": self.rows[0].label if self.rows else None,
            "differences_to_leader": [
                {
                    "agent": verdict.row.agent,
                    "warm_start": verdict.row.warm_start,
                    "difference": verdict.difference and verdict.difference.as_json(),
                    "within_noise": verdict.within_noise,
                }
                for verdict in self.verdicts
            ],
            "failed": [
                {
                    "agent": failure.run.agent.name,
                    "warm_start": failure.run.warm_start,
                    "seed": failure.run.seed,
                    "error": failure.error,
                }
                for failure in self.failures
            ],
            "uniform_score": self.uniform_score,
            "best_score": self.best_score,
            "command": self.plan.command(),
            "versions": versions(),
        }


def summarize(
    plan: Plan,
    directory: Path,
    failures: Sequence[Failure] = (),
    measures: Sequence[Measure] = MEASURES,
) -> Summary:
    """Reads the finished runs of a comparison and measures them.

    Args:
        plan: What was compared.
        directory: Where the results are.
        failures: The runs that failed.
        measures: What to measure, in the order of the columns.

    Raises:
        ValueError: A file of a result is damaged, or none of the measures can rank the rows.
    """
    levels = {seed: uniform_levels(plan.env_id, seed, plan.posts) for seed in range(plan.seeds)}
    known = [level.mean() for level in levels.values() if level is not None]
    uniform_score = float(np.mean(known)) if known else None
    found = {pair: dict(results_of(plan, directory, *pair)) for pair in plan.pairs}
    found = {pair: results for pair, results in found.items() if results}
    best_score = _best_score(list(found.values()), uniform_score)
    rows = [
        row_of(agent.name, warm_start, results, levels, best_score, plan.posts, measures)
        for (agent, warm_start), results in found.items()
    ]
    ranking = _ranking(measures, rows)
    sign = -1 if ranking.higher_is_better else 1
    rows.sort(key=lambda row: sign * float(iqm(list(row.values(ranking.name).values()))))
    verdicts = tuple(_verdict(row, rows[0], ranking.name) for row in rows[1:])
    return Summary(
        plan,
        tuple(measures),
        tuple(rows),
        ranking,
        verdicts,
        tuple(failures),
        uniform_score,
        best_score,
    )


def versions() -> dict[str, str]:
    """Returns the versions of the packages that runs use, where they are installed."""
    found = {"python": platform.python_version(), "kilroy_gym": kilroy_gym.__version__}
    for name in ("gymnasium", "numpy", "stable-baselines3", "torch"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def results_of(
    plan: Plan, directory: Path, agent: Contender, warm_start: bool
) -> Iterator[tuple[int, RunResult]]:
    """Yields the finished runs of a row, each with its seed."""
    for run in plan.runs:
        file = result_file(directory, run.name)
        if (run.agent, run.warm_start) == (agent, warm_start) and file.exists():
            yield run.seed, RunResult.load(file)


def _best_score(found: Sequence[dict[int, RunResult]], uniform_score: float | None) -> float | None:
    bests = [result.best_scores for results in found for result in results.values()]
    known = [best.mean() for best in bests if best is not None]
    if known:
        return float(np.mean(known))
    tops = [] if uniform_score is None else [uniform_score]
    for results in found:
        tops.append(float(iqm([final_score(result) for result in results.values()])))
    return max(tops, default=None)


def _ranking(measures: Sequence[Measure], rows: Sequence[Row]) -> Measure:
    """Returns the measure that comes first among those by which all rows can be compared."""
    equally_long = len({row.posts for row in rows}) == 1
    ranks = [(each.rank, each) for each in measures if each.rank is not None]
    for _, each in sorted(ranks, key=lambda pair: pair[0]):
        known = all(row.estimates[each.name] is not None for row in rows)
        if known and (equally_long or not each.summed):
            return each
    raise ValueError(
        f"none of the measures {[each.name for each in measures]} can rank these runs: give one "
        "that has a rank, is not summed and is known for every run, such as MEAN_SCORE"
    )


def _verdict(row: Row, leader: Row, name: str) -> Verdict:
    mine, others = row.values(name), leader.values(name)
    seeds = sorted(mine.keys() & others.keys())
    if not seeds:
        return Verdict(row, None, None)
    found = difference([mine[seed] for seed in seeds], [others[seed] for seed in seeds])
    within = bool(found.low <= 0 <= found.high) if len(seeds) > 1 else None
    return Verdict(row, found, within)
