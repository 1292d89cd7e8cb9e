"""Runs on a live platform that continue after any interruption.

``LiveModelRun``, for Stable-Baselines3 models, is in ``kilroy_gym.live.model_run``, since it needs
the extra ``sb3``.
"""

from kilroy_gym.faces.wrappers.journaled import PostInDoubt
from kilroy_gym.live.run import LiveRun

__all__ = ["LiveRun", "PostInDoubt"]
