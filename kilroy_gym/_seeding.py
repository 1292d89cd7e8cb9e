"""The global random streams."""

import random
import sys
from typing import Any

import numpy as np


def seed_everything(seed: int) -> None:
    """Seeds Python, numpy and, where it is loaded, torch: a user's module may draw from any."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - that very stream
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
