"""A Bluesky network on this machine, with readers: for trying, and for the tests."""

from .network import Account, LocalBluesky, until, what_is_missing
from .readers import Readers, Reading, Taste, session_of, write

__all__ = [
    "Account",
    "LocalBluesky",
    "Readers",
    "Reading",
    "Taste",
    "session_of",
    "until",
    "what_is_missing",
    "write",
]
