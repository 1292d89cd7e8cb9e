"""Measures the roster on every registered environment, and writes the tables of its README.

``python benchmarks/roster.py`` writes between the two comments in ``agents/README.md``. Modules
are played on 20 seeds, agents of Stable-Baselines3 on 5, since those take a thousand times as
long. What is finished is kept under ``runs/roster/``: the same command goes on from there.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import gymnasium as gym

import kilroy_gym
from kilroy_gym import KilroyTrainer, ModuleAgent
from kilroy_gym._records import written_whole
from kilroy_gym.adapters import load_agent_file, roster
from kilroy_gym.comparison.measures import MEASURES
from kilroy_gym.comparison.plan import Plan
from kilroy_gym.comparison.rows import Row
from kilroy_gym.comparison.runner import play_all
from kilroy_gym.comparison.summary import Summary, summarize
from kilroy_gym.comparison.table import cell
from kilroy_gym.comparison.workers import Processes
from kilroy_gym.envs.suite import AUDIENCES

BEGIN, END = "<!-- measured by benchmarks/roster.py -->", "<!-- end of what was measured -->"
MOST_MODEL_POSTS = 2000
SHOWN = [measure for measure in MEASURES if measure.name != "wall_s"]
HEAD = ["agent", "start", "round", "seeds", *(measure.title for measure in SHOWN)]


def main() -> None:
    """Measures, and writes the tables."""
    given = arguments()
    intro = (
        f"{given.posts:,} posts a run in rounds of {given.round}; {given.module_seeds} seeds for "
        f"modules, {given.model_seeds} for agents of Stable-Baselines3, which are measured on at "
        f"most {MOST_MODEL_POSTS:,} posts. Interquartile mean over seeds, with its 95% "
        f"bootstrap interval in brackets; the least regret first. kilroy_gym "
        f"{kilroy_gym.__version__}."
    )
    sections = [fill(intro, 100), *(section(env_id, given) for env_id in given.envs)]
    text = given.readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{given.readme} lacks the comments {BEGIN} and {END}")
    content = "\n\n".join([before + BEGIN, *sections, END + after])
    with written_whole(given.readme) as part:
        part.write_text(content, encoding="utf-8")


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--envs", nargs="+", default=list(AUDIENCES))
    parser.add_argument("--agents", nargs="+", default=list(roster()))
    parser.add_argument("--module-seeds", type=int, default=20)
    parser.add_argument("--model-seeds", type=int, default=5)
    parser.add_argument("--posts", type=int, default=MOST_MODEL_POSTS)
    parser.add_argument("--round", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--out", type=Path, default=Path("runs") / "roster")
    readme = Path(__file__).parents[1] / "agents" / "README.md"
    parser.add_argument("--readme", type=Path, default=readme)
    return parser.parse_args()


def section(env_id: str, given: argparse.Namespace) -> str:
    """Measures the roster on one environment and returns its table."""
    modules, models, notes = kinds(env_id, given.agents, given.round)
    rows: list[Row] = []
    for kind, agents, seeds, posts in (
        ("modules", modules, given.module_seeds, given.posts),
        ("models", models, given.model_seeds, min(given.posts, MOST_MODEL_POSTS)),
    ):
        if agents:
            plan = Plan.checked(env_id, agents, seeds, posts, given.round)
            summary = measured(plan, given.out / f"{env_id}-{kind}".replace("/", "-"), given.jobs)
            rows += summary.rows
            notes += [f"{row.label}: {note}." for row in summary.rows for note in row.notes]
            notes += [f"{failed.run.name} failed: {failed.error}" for failed in summary.failures]
    lines = [HEAD, ["---"] * len(HEAD), *(cells(row) for row in sorted(rows, key=rank))]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n\n".join([f"### {env_id}", table, *(fill(f"- {n}", 100) for n in notes)])


def kinds(
    env_id: str, agents: Sequence[str], update_rate: int
) -> tuple[list[str], list[str], list[str]]:
    """Tells modules from other agents, and says which cannot play there."""
    modules: list[str] = []
    models: list[str] = []
    notes: list[str] = []
    for name in agents:
        env = gym.make_vec(env_id, num_envs=update_rate)
        try:
            agent = KilroyTrainer(env, load_agent_file(name)(env, 0)).agent
        except (ValueError, TypeError) as error:
            notes.append(f"`{name}` cannot play here: {error}")
            continue
        (modules if isinstance(agent, ModuleAgent) else models).append(name)
    return modules, models, notes


def measured(plan: Plan, out: Path, jobs: int) -> Summary:
    """Plays what is not finished yet."""
    directory = plan.directory(out)
    return summarize(plan, directory, play_all(plan, directory, Processes(jobs)))


def rank(row: Row) -> float:
    """Returns what rows are ordered by: regret, or the mean score where no truth is known."""
    regret, mean_score = row.estimates["regret"], row.estimates["mean_score"]
    if regret is not None:
        return float(regret.iqm)
    return float("inf") if mean_score is None else -float(mean_score.iqm)


def cells(row: Row) -> list[str]:
    """Returns a line of the table."""
    return [
        f"`{row.agent}`",
        row.start,
        row.rollout,
        str(len(row.runs)),
        *(cell(measure, row) for measure in SHOWN),
    ]


if __name__ == "__main__":
    main()
