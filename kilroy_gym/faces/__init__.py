"""Platforms: a Face from an audience, and wrappers around Faces."""

import importlib
from typing import TYPE_CHECKING, Any

from kilroy_gym.faces.simulated import SimulatedFace

if TYPE_CHECKING:
    from kilroy_gym.faces.dry_run import DryRunFace, DryRunId
    from kilroy_gym.faces.journal import Entry, Journal, read_journal
    from kilroy_gym.faces.journaled import JournaledFace
    from kilroy_gym.faces.logged import LoggedFace
    from kilroy_gym.faces.rate_limited import RateLimitedFace
    from kilroy_gym.faces.retrying import RetryingFace
    from kilroy_gym.faces.reviewed import RefusedId, ReviewedFace
    from kilroy_gym.faces.storage import StorageError
    from kilroy_gym.faces.wrapper import FaceWrapper

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

# What only a live platform needs is imported when it is asked for: `import kilroy_gym` stays light.
_LATER = {
    "DryRunFace": "dry_run",
    "DryRunId": "dry_run",
    "Entry": "journal",
    "FaceWrapper": "wrapper",
    "Journal": "journal",
    "JournaledFace": "journaled",
    "LoggedFace": "logged",
    "RateLimitedFace": "rate_limited",
    "RefusedId": "reviewed",
    "RetryingFace": "retrying",
    "ReviewedFace": "reviewed",
    "StorageError": "storage",
    "read_journal": "journal",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
