"""Runs on a live platform, which survive whatever ends them."""

from kilroy_gym.live.run import LiveRun

__all__ = ["LiveRun"]
