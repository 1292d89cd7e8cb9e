"""Posting on Bluesky; needs the extra ``bluesky``."""

from kilroy_gym.faces.bluesky.face import BlueskyFace
from kilroy_gym.faces.bluesky.session import BlueskyError, BlueskyUnreachable

__all__ = ["BlueskyError", "BlueskyFace", "BlueskyUnreachable"]
