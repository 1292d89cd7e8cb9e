"""The command ``kilroy-gym compare``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


class WarmStart(StrEnum):
    """Whether agents mimic existing posts before they post themselves."""

    yes = "yes"
    no = "no"
    both = "both"


def compare(
    env_id: Annotated[str, typer.Argument(metavar="ENV", help="An id of `kilroy-gym envs`.")],
    agents: Annotated[
        list[str],
        typer.Argument(
            metavar="AGENT...", help="Names of `kilroy-gym agents`, or paths of agent files."
        ),
    ],
    seeds: Annotated[int, typer.Option(help="How many seeds; they count from 0.")] = 5,
    posts: Annotated[int, typer.Option(help="The most posts that a run may make.")] = 1000,
    update_rate: Annotated[
        int, typer.Option("--round", help="Posts per round: the slots of the environment.")
    ] = 10,
    warm_start: Annotated[
        WarmStart, typer.Option(help="Whether agents mimic existing posts first.")
    ] = WarmStart.both,
    jobs: Annotated[int, typer.Option(help="Runs at a time; -1 for one per core.")] = -1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Directory of the results; by default under runs/, named by the environment and "
            "a hash of the settings. An interrupted comparison goes on there."
        ),
    ] = None,
) -> None:
    """Compare agents: which earns the most with the fewest posts?"""
    # Imported here, so that the other commands do not need the extra.
    from kilroy_gym.comparison.plan import Plan
    from kilroy_gym.comparison.runner import play_all
    from kilroy_gym.comparison.summary import summarize
    from kilroy_gym.comparison.table import show
    from kilroy_gym.comparison.workers import Processes
    from kilroy_gym.comparison.write import write_all

    runner = Processes(jobs)
    plan = Plan.checked(env_id, agents, seeds, posts, update_rate, warm_start.value)
    directory = plan.directory(out)
    try:
        failures = play_all(plan, directory, runner)
        summary = summarize(plan, directory, failures)
        written = write_all(summary, directory)
    except KeyboardInterrupt:
        finished = len(list((directory / "runs").glob("*.npz")))
        _tell(
            f"Stopped: {finished} of {len(plan.runs)} runs are finished and kept in {directory}. "
            "The same command goes on from there."
        )
        raise typer.Exit(130) from None
    show(summary, Console())
    for failed in failures:
        _tell(
            f"Failed: {failed.run.name}: {failed.error} (the whole error is in {failed.file})",
            "red",
        )
    _tell(f"Written to {directory}/: {', '.join(written)}")
    if failures:
        _tell("The same command repeats only the failed runs.")
        raise typer.Exit(1)


def _tell(text: str, style: str | None = None) -> None:
    """Prints text literally: names and errors may contain what looks like markup."""
    Console().print(text, style=style, markup=False, highlight=False, soft_wrap=True)
