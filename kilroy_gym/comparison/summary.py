"""Results of many runs -> what the table, the files and the report say."""

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import kilroy_gym
from kilroy_gym.comparison.measures import HIGHER_IS_BETTER, measure, uniform_levels
from kilroy_gym.comparison.plan import Contender, Plan
from kilroy_gym.comparison.results import RunResult
from kilroy_gym.comparison.rows import Row, row_of
from kilroy_gym.comparison.runner import Failure, result_file
from kilroy_gym.comparison.statistics import Estimate, difference, iqm


@dataclass(frozen=True)
class Verdict:
    """How far a row is from the leader.

    Attributes:
        row: The row.
        difference: The row minus the leader, or ``None`` without a seed that both finished.
        within_noise: Whether the interval of the difference contains 0; ``None`` where fewer
            than two seeds leave that open.
    """

    row: Row
    difference: Estimate | None
    within_noise: bool | None


@dataclass(frozen=True)
class Summary:
    """What a comparison found.

    Attributes:
        plan: What was compared.
        rows: Every agent and warm start with a finished run, the best first.
        ranked_by: The measure that they are ranked by.
        verdicts: How far each of the others is from the first.
        failures: The runs that failed.
        uniform_score: Mean level of uniformly random posts, or ``None`` without a codec.
        best_score: Mean best level; without truth the highest final score of a row, or the
            uniform level where that is higher.
    """

    plan: Plan
    rows: tuple[Row, ...]
    ranked_by: str
    verdicts: tuple[Verdict, ...]
    failures: tuple[Failure, ...]
    uniform_score: float | None
    best_score: float | None

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


def summarize(plan: Plan, directory: Path, failures: Sequence[Failure] = ()) -> Summary:
    """Reads the finished runs of a comparison and says what they show.

    Args:
        plan: What was compared.
        directory: Where the results are.
        failures: The runs that failed.
    """
    levels = {seed: uniform_levels(plan.env_id, seed, plan.posts) for seed in range(plan.seeds)}
    known = [level.mean() for level in levels.values() if level is not None]
    uniform_score = float(np.mean(known)) if known else None
    found = {pair: dict(results_of(plan, directory, *pair)) for pair in plan.pairs}
    found = {pair: results for pair, results in found.items() if results}
    best_score = _best_score(list(found.values()), uniform_score)
    rows = [
        row_of(agent.name, warm_start, results, levels, best_score, plan.posts)
        for (agent, warm_start), results in found.items()
    ]
    ranked_by = _ranked_by(rows)
    sign = -1 if HIGHER_IS_BETTER[ranked_by] else 1
    rows.sort(key=lambda row: sign * _figure(row, ranked_by))
    verdicts = tuple(_verdict(row, rows[0], ranked_by) for row in rows[1:])
    return Summary(
        plan, tuple(rows), ranked_by, verdicts, tuple(failures), uniform_score, best_score
    )


def versions() -> dict[str, str]:
    """Returns the versions of what the runs used, so far as it is installed."""
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
    """Yields the finished runs of a row by seed."""
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
        measured = [measure(result, None, None, 0).final_score for result in results.values()]
        tops.append(float(iqm(measured)))
    return max(tops, default=None)


def _ranked_by(rows: Sequence[Row]) -> str:
    """Regret has less noise, but is a fair measure only among runs of as many posts."""
    known = all(row.estimates["regret"] is not None for row in rows)
    return "regret" if known and len({row.posts for row in rows}) == 1 else "mean_score"


def _figure(row: Row, name: str) -> float:
    found = row.estimates[name]
    return float("inf") if found is None else float(found.iqm)


def _verdict(row: Row, leader: Row, name: str) -> Verdict:
    seeds = sorted(row.runs.keys() & leader.runs.keys())
    if not seeds:
        return Verdict(row, None, None)
    mine, others = ([getattr(r.runs[seed], name) for seed in seeds] for r in (row, leader))
    found = difference(mine, others)
    within = bool(found.low <= 0 <= found.high) if len(seeds) > 1 else None
    return Verdict(row, found, within)
