"""Plays the runs of a comparison, by whatever maps a function over them."""

import traceback
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kilroy_gym._progress import progress
from kilroy_gym.comparison.plan import Plan, PlannedRun
from kilroy_gym.comparison.play import play

Outcome = tuple[str, str | None]
"""Name of a run, and the last line of its error if it failed."""

Outcomes = Generator[Outcome, None, None]

Task = Callable[[PlannedRun], Outcome]

Runner = Callable[[Task, Sequence[PlannedRun]], Iterable[Outcome]]
"""Calls a function with each run, as ``map`` does, and gives the outcomes in any order.

It raises ``concurrent.futures.BrokenExecutor`` where a process died, and is called again with
the runs that are left.
"""

DIED = "the process of the run died: a crash in native code, or too little memory"
UNPLAYED = "never played: the runner had no process left after one died"


@dataclass(frozen=True)
class Failure:
    """A run that failed.

    Attributes:
        run: The run.
        error: The last line of the error.
        file: The file with the whole error.
    """

    run: PlannedRun
    error: str
    file: Path


def result_file(directory: Path, run_name: str) -> Path:
    """Returns the path of a run's result; the file is there once the run is finished."""
    return directory / "runs" / f"{run_name}.npz"


def error_file(directory: Path, run_name: str) -> Path:
    """Returns the path of a run's error; the file is there if the run failed."""
    return directory / "runs" / f"{run_name}.error.txt"


def play_all(
    plan: Plan, directory: Path, runner: Runner | None = None, progress_bar: bool | None = None
) -> list[Failure]:
    """Plays the runs that are not finished yet, and leaves a file for each in ``runs/``.

    Ctrl-C (``KeyboardInterrupt``) ends all workers at once; finished runs stay.

    Args:
        plan: What to play.
        directory: Where the results go; every worker must be able to write there.
        runner: What plays the runs: worker processes, one per core, by default. ``map`` plays
            them one after another in this process; ``executor.map`` plays them in a
            ``concurrent.futures.ProcessPoolExecutor``. Threads gain nothing: a process plays one
            run at a time.
        progress_bar: Whether to show one; ``None`` shows it on a terminal.

    Returns:
        The runs that failed.
    """
    if runner is None:
        from kilroy_gym.comparison.workers import Processes  # needs the extra

        runner = Processes()
    runs = {run.name: run for run in plan.runs}
    todo = [run for run in runs.values() if not result_file(directory, run.name).exists()]
    description = f"Comparing ({len(todo)} of {len(runs)} runs)"
    failures = []
    with closing(_outcomes(plan, todo, directory.resolve(), runner)) as outcomes:
        for name, error in progress(outcomes, len(todo), description, progress_bar):
            if error is not None:
                failures.append(Failure(runs[name], error, error_file(directory, name)))
    return sorted(failures, key=lambda failure: list(runs).index(failure.run.name))


def _play_and_keep(plan: Plan, directory: Path, run: PlannedRun) -> Outcome:
    """Plays a run, wherever the runner calls this, and writes its result or its error."""
    started, failed = _started_file(directory, run.name), error_file(directory, run.name)
    started.touch()
    try:
        play(plan, run).save(result_file(directory, run.name))
    except (Exception, SystemExit) as error:
        failed.write_text(traceback.format_exc(), encoding="utf-8")
        return run.name, traceback.format_exception_only(error)[-1].strip().splitlines()[-1]
    finally:
        started.unlink(missing_ok=True)
    failed.unlink(missing_ok=True)
    return run.name, None


def _outcomes(plan: Plan, todo: Sequence[PlannedRun], directory: Path, runner: Runner) -> Outcomes:
    """Yields outcomes in any order; a run that kills its process is found and left out."""
    task = partial(_play_and_keep, plan, directory)
    told: set[str] = set()
    try:
        for outcome in runner(task, todo):
            told.add(outcome[0])
            yield outcome
        return
    except BrokenExecutor:
        rest = [run for run in todo if run.name not in told]
    finished = [run for run in rest if result_file(directory, run.name).exists()]
    yield from ((run.name, None) for run in finished)
    rest = [run for run in rest if run not in finished]
    # Any of the runs that were being played may be to blame, so each is played by itself.
    suspects = [run for run in rest if _started_file(directory, run.name).exists()] or rest
    for run in suspects:
        try:
            yield from runner(task, [run])
        except BrokenExecutor:
            yield run.name, _died(directory, run)
    rest = [run for run in rest if run not in suspects]
    if rest:
        yield from _outcomes(plan, rest, directory, runner)


def _died(directory: Path, run: PlannedRun) -> str:
    """Writes the error of a run whose process died, and returns it."""
    started = _started_file(directory, run.name)
    error = DIED if started.exists() else UNPLAYED
    started.unlink(missing_ok=True)
    error_file(directory, run.name).write_text(error, encoding="utf-8")
    return error


def _started_file(directory: Path, run_name: str) -> Path:
    return directory / "runs" / f"{run_name}.started"
