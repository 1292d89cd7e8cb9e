"""Platforms: a Face from an audience, and wrappers around Faces."""

from kilroy_gym.faces.dry_run import DryRunFace, DryRunId
from kilroy_gym.faces.journal import Entry, Journal, read_journal
from kilroy_gym.faces.journaled import JournaledFace
from kilroy_gym.faces.rate_limited import RateLimitedFace
from kilroy_gym.faces.retrying import RetryingFace
from kilroy_gym.faces.reviewed import RefusedId, ReviewedFace
from kilroy_gym.faces.simulated import SimulatedFace
from kilroy_gym.faces.storage import StorageError
from kilroy_gym.faces.wrapper import FaceWrapper

__all__ = [
    "DryRunFace",
    "DryRunId",
    "Entry",
    "FaceWrapper",
    "Journal",
    "JournaledFace",
    "RateLimitedFace",
    "RefusedId",
    "RetryingFace",
    "ReviewedFace",
    "SimulatedFace",
    "StorageError",
    "read_journal",
]
