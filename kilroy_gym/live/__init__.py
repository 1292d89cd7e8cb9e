"""Runs on a live platform, which survive whatever ends them.

``LiveModelRun``, for models of Stable-Baselines3, is in ``kilroy_gym.live.model_run``, since it
needs the extra ``sb3``.
"""

from kilroy_gym.faces.wrappers.journaled import PostInDoubt
from kilroy_gym.live.run import LiveRun

__all__ = ["LiveRun", "PostInDoubt"]
