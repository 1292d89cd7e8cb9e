"""The timing of a run on a Face."""

from dataclasses import dataclass
from typing import Any

from kilroy_gym.adapters.module_agent import UPDATE_RATE
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.envs import FaceVectorEnv
from kilroy_gym.interfaces import AnyFace

POST_RATE = 1.0
"""Seconds after each post before the next, as in the original system."""


@dataclass(frozen=True)
class Pace:
    """How a run on a Face is timed, as arguments of :class:`~kilroy_gym.envs.FaceVectorEnv`."""

    num_envs: int = UPDATE_RATE
    post_rate: float = POST_RATE
    score_delay_s: float = 0.0
    wait: bool = True

    def env(self, face: AnyFace, codec: AnyCodec | None) -> FaceVectorEnv[Any, Any]:
        """Returns an environment with this timing; closing it leaves the Face open."""
        return FaceVectorEnv(
            face,
            self.num_envs,
            codec,
            self.post_rate,
            self.score_delay_s,
            self.wait,
            close_face=False,
        )
