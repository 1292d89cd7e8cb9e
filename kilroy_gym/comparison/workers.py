"""Worker processes that play the runs of a comparison; needs the extra ``compare``."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from kilroy_gym._extras import needs_extra

with needs_extra("compare", "comparisons"):
    from joblib import Parallel, delayed, effective_n_jobs, parallel_config

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Processes:
    """A ``map`` over worker processes, which gives each result as soon as it is there.

    Attributes:
        jobs: How many at a time; -1 for one per core, -2 for all cores but one, and so on.

    Raises:
        ValueError: ``jobs`` is 0.
    """

    jobs: int = -1

    def __post_init__(self) -> None:
        """Checks the number."""
        if self.jobs == 0:
            raise ValueError("jobs must not be 0: give a number of processes, or -1 for all cores")

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Generator[Result, None, None]:
        """Yields ``function(item)`` of every item, in any order.

        Raises:
            concurrent.futures.BrokenExecutor: A worker died.
        """
        jobs = effective_n_jobs(self.jobs)
        # A worker that has grown, as torch makes it grow, is replaced; no item is lost.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        workers = {"initializer": _become_worker, "initargs": (os.getpid(),)}
        with (
            _inheriting_no_interrupt(),
            parallel_config("loky", inner_max_num_threads=1, **workers),
        ):
            # With one job, joblib would work in this process: so two workers, one item at a time.
            parallel = Parallel(
                max(jobs, 2), pre_dispatch=jobs, batch_size=1, return_as="generator_unordered"
            )
            results = parallel(delayed(function)(item) for item in items)
        with closing(results):
            yield from results


@contextmanager
def _inheriting_no_interrupt() -> Iterator[None]:
    """Workers started inside leave Ctrl-C to the process that started them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _become_worker(parent: int) -> None:
    """Leaves Ctrl-C to the parent, and ends when the parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
