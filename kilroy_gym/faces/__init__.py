"""Platforms: a Face from an audience, and wrappers around Faces."""

import importlib
from typing import TYPE_CHECKING

from kilroy_gym.faces.simulated import SimulatedFace

if TYPE_CHECKING:
    from kilroy_gym.faces.logged import LoggedFace
    from kilroy_gym.faces.wrappers.base import FaceWrapper
    from kilroy_gym.faces.wrappers.dry_run import DryRunFace, DryRunId
    from kilroy_gym.faces.wrappers.journaled import JournaledFace
    from kilroy_gym.faces.wrappers.limited import RateLimitedFace
    from kilroy_gym.faces.wrappers.retrying import RetryingFace
    from kilroy_gym.faces.wrappers.reviewed import RefusedId, ReviewedFace
    from kilroy_gym.storage.entries import Entry
    from kilroy_gym.storage.journal import Journal, read_journal
    from kilroy_gym.storage.sqlite import StorageError

__all__ = [
    "DryRunFace",
    "DryRunId",
    "Entry",
    "FaceWrapper",
    "Journal",
    "JournaledFace",
    "LoggedFace",
    "RateLimitedFace",
    "RefusedId",
    "RetryingFace",
    "ReviewedFace",
    "SimulatedFace",
    "StorageError",
    "read_journal",
]

# Imported on demand, since only live platforms need it: `import kilroy_gym` stays light.
_LATER = {
    "DryRunFace": "faces.wrappers.dry_run",
    "DryRunId": "faces.wrappers.dry_run",
    "Entry": "storage.entries",
    "FaceWrapper": "faces.wrappers.base",
    "Journal": "storage.journal",
    "JournaledFace": "faces.wrappers.journaled",
    "LoggedFace": "faces.logged",
    "RateLimitedFace": "faces.wrappers.limited",
    "RefusedId": "faces.wrappers.reviewed",
    "RetryingFace": "faces.wrappers.retrying",
    "ReviewedFace": "faces.wrappers.reviewed",
    "StorageError": "storage.sqlite",
    "read_journal": "storage.journal",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"kilroy_gym.{_LATER[name]}"), name)
