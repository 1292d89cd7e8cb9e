"""The global random streams."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def seed_everything(seed: int) -> None:
    """Seeds Python, numpy and, where it is loaded, torch: a user's module may draw from any."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - that very stream
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


@contextmanager
def streams_kept() -> Iterator[None]:
    """Puts the global streams back to where they were."""
    torch: Any = sys.modules.get("torch")
    before = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        if torch is not None:
            torch.set_rng_state(before[2])
