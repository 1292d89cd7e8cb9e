"""Progress bars on long work."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def progress(
    items: Iterable[Item], total: int | None, description: str, enabled: bool | None
) -> Iterator[Item]:
    """Yields ``items`` under a progress bar on the terminal.

    Args:
        items: The items to iterate over.
        total: How many there are, or ``None`` if not known.
        description: What is being done.
        enabled: Whether to show a bar; ``None`` shows it if stderr is a terminal.
    """
    if not (sys.stderr.isatty() if enabled is None else enabled):
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description, total, console=Console(stderr=True), transient=True)
