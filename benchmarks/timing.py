"""Two things timed in turns, so that both meet the same noise of the machine."""

import time
from collections.abc import Callable


def best_times(*jobs: Callable[[], object], repeats: int = 15) -> list[float]:
    """Returns the shortest time of each job in seconds, over ``repeats`` rounds of all of them."""
    times: list[list[float]] = [[] for _ in jobs]
    for _ in range(repeats):
        for job, measured in zip(jobs, times, strict=True):
            start = time.perf_counter()
            job()
            measured.append(time.perf_counter() - start)
    return [min(measured) for measured in times]


def report(
    name: str, ours: float, reference: float, count: int, unit: str, speed: bool = True
) -> None:
    """Prints a line.

    Args:
        name: What was measured, and against what.
        ours: Seconds that it took.
        reference: Seconds that the reference took.
        count: How many units both did.
        unit: What was counted.
        speed: Whether the ratio is that of speeds (more is better) or of times (less is better).
    """
    ratio = f"{reference / ours:5.2f}x the speed" if speed else f"{ours / reference:5.2f}x the time"
    times = " / ".join(f"{seconds / count * 1e6:.4g}" for seconds in (ours, reference))
    print(f"{name:<52} {ratio}   ({times} us a {unit})")
