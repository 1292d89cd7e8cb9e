"""Plays the runs of a comparison in parallel processes; needs the extra ``compare``."""

import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym

from kilroy_gym._extras import needs_extra
from kilroy_gym._progress import progress
from kilroy_gym._seeding import seed_everything
from kilroy_gym.adapters import load_agent_file
from kilroy_gym.comparison.plan import Plan, Run
from kilroy_gym.comparison.results import Recorder, RunResult
from kilroy_gym.training import KilroyTrainer

with needs_extra("compare", "comparisons"):
    from joblib import Parallel, delayed, effective_n_jobs, parallel_config

Outcome = tuple[str, str | None]
"""Name of a run, and the last line of its error if it failed."""

Outcomes = Generator[Outcome, None, None]

DIED = "the process of the run died: a crash in native code, or too little memory"


@dataclass(frozen=True)
class Failure:
    """A run that failed.

    Attributes:
        run: The run.
        error: The last line of the error.
        file: Where the whole of it is.
    """

    run: Run
    error: str
    file: Path


def result_file(directory: Path, run_name: str) -> Path:
    """Returns where the result of a run is, once it is finished."""
    return directory / "runs" / f"{run_name}.npz"


def error_file(directory: Path, run_name: str) -> Path:
    """Returns where the error of a run is, if it failed."""
    return directory / "runs" / f"{run_name}.error.txt"


def play_all(
    plan: Plan, directory: Path, jobs: int = -1, progress_bar: bool | None = None
) -> list[Failure]:
    """Plays the runs that are not finished yet, and leaves a file for each in ``runs/``.

    Ctrl-C (``KeyboardInterrupt``) ends all workers at once; what is finished stays.

    Args:
        plan: What to play.
        directory: Where the results go.
        jobs: How many runs at a time; -1 for one a core, -2 for all cores but one, and so on.
        progress_bar: Whether to show one; ``None`` shows it on a terminal.

    Returns:
        The runs that failed.

    Raises:
        ValueError: ``jobs`` is 0.
    """
    if jobs == 0:
        raise ValueError("jobs must not be 0: give a number of processes, or -1 for all cores")
    runs = {run.name: run for run in plan.runs}
    todo = [run for run in runs.values() if not result_file(directory, run.name).exists()]
    description = f"Comparing ({len(todo)} of {len(runs)} runs)"
    failures = []
    with closing(_outcomes(plan, todo, directory, effective_n_jobs(jobs))) as outcomes:
        for name, error in progress(outcomes, len(todo), description, progress_bar):
            if error is not None:
                failures.append(Failure(runs[name], error, error_file(directory, name)))
    return sorted(failures, key=lambda failure: list(runs).index(failure.run.name))


def play(plan: Plan, run: Run, directory: Path) -> Outcome:
    """Plays one run in a worker and writes its result, or its error.

    Args:
        plan: The settings.
        run: What to play.
        directory: Where the results of the comparison are.
    """
    started, failed = _started_file(directory, run.name), error_file(directory, run.name)
    started.touch()
    try:
        result_of(plan, run).save(result_file(directory, run.name))
    except (Exception, SystemExit) as error:
        failed.write_text(traceback.format_exc(), encoding="utf-8")
        return run.name, traceback.format_exception_only(error)[-1].strip().splitlines()[-1]
    finally:
        started.unlink(missing_ok=True)
    failed.unlink(missing_ok=True)
    return run.name, None


def result_of(plan: Plan, run: Run) -> RunResult:
    """Plays one run in this process and returns its figures.

    Python's, numpy's and torch's global streams are seeded with the seed of the run. What is
    warned about meanwhile becomes the notes of the result.
    """
    recorder = Recorder(plan.posts)
    with warnings.catch_warnings(record=True) as caught:
        env, agent = _fresh(plan, run)
        trainer = KilroyTrainer(env, agent, seed=run.seed)
        start = time.perf_counter()
        if run.warm_start:
            trainer.fine_tune(progress_bar=False)
        trainer.run(posts=plan.posts, callback=recorder, progress_bar=False)
        wall_s = time.perf_counter() - start
        env.close()
    notes = dict.fromkeys(str(warning.message) for warning in caught)
    return recorder.result(wall_s, str(getattr(trainer.agent, "rollout", "")), notes)


def _fresh(plan: Plan, run: Run) -> tuple[Any, Any]:
    """Makes the environment and the agent, every global random stream being seeded."""
    had_torch = "torch" in sys.modules
    seed_everything(run.seed)
    env = gym.make_vec(plan.env_id, num_envs=plan.update_rate)
    agent = load_agent_file(run.agent.path)(env, run.seed)
    if not had_torch and "torch" in sys.modules:
        return _fresh(plan, run)  # torch came with the agent, so it was not seeded yet
    return env, agent


def _outcomes(plan: Plan, todo: Sequence[Run], directory: Path, jobs: int) -> Outcomes:
    """Plays runs in any order; one that takes its process down is found and left behind."""
    told: set[str] = set()
    try:
        for outcome in _parallel(plan, todo, directory, jobs):
            told.add(outcome[0])
            yield outcome
        return
    except BrokenProcessPool:
        rest = [run for run in todo if run.name not in told]
    finished = [run for run in rest if result_file(directory, run.name).exists()]
    yield from ((run.name, None) for run in finished)
    rest = [run for run in rest if run not in finished]
    # Any of those that were being played may be to blame: each is played by itself.
    suspects = [run for run in rest if _started_file(directory, run.name).exists()] or rest
    for run in suspects:
        try:
            yield from _parallel(plan, [run], directory, 1)
        except BrokenProcessPool:
            _started_file(directory, run.name).unlink(missing_ok=True)
            error_file(directory, run.name).write_text(DIED, encoding="utf-8")
            yield run.name, DIED
    rest = [run for run in rest if run not in suspects]
    if rest:
        yield from _outcomes(plan, rest, directory, jobs)


def _parallel(plan: Plan, runs: Sequence[Run], directory: Path, jobs: int) -> Outcomes:
    # A worker that has grown, as torch makes it grow, is replaced by a new one; no run is lost.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
    workers = {"initializer": _become_worker, "initargs": (os.getpid(),)}
    with _inheriting_no_interrupt(), parallel_config("loky", inner_max_num_threads=1, **workers):
        # With one job, joblib would play in this process: so two workers, and one run at a time.
        parallel = Parallel(
            max(jobs, 2), pre_dispatch=jobs, batch_size=1, return_as="generator_unordered"
        )
        outcomes = parallel(delayed(play)(plan, run, directory.resolve()) for run in runs)
    with closing(outcomes):
        yield from outcomes


@contextmanager
def _inheriting_no_interrupt() -> Iterator[None]:
    """Workers that start inside leave Ctrl-C to the process that started them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _become_worker(parent: int) -> None:
    """Leaves Ctrl-C to the parent, and sees to it that the parent is not outlived."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _started_file(directory: Path, run_name: str) -> Path:
    return directory / "runs" / f"{run_name}.started"
