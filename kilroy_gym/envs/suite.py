"""The registered environments, and the classes of those that take a post or a round a step."""

import importlib
from typing import Any

import gymnasium as gym

from kilroy_gym.audiences import Audience
from kilroy_gym.clock import Clock
from kilroy_gym.envs.face_env import FaceEnv
from kilroy_gym.envs.face_vector_env import FaceVectorEnv
from kilroy_gym.faces import SimulatedFace

AUDIENCES = {
    "Kilroy-Bernoulli-v0": "BernoulliAudience",
    "Kilroy-Topics-v0": "TopicsAudience",
    "Kilroy-Tone-v0": "ToneAudience",
    "Kilroy-Timing-v0": "TimingAudience",
    "Kilroy-Drift-v0": "DriftAudience",
    "Kilroy-Growth-v0": "GrowthAudience",
    "Kilroy-Delayed-v0": "DelayedAudience",
    "Kilroy-Zigzag-v0": "ZigzagAudience",
    "Kilroy-ZigzagSteps-v0": "ZigzagAudience",
    "Kilroy-Text-v0": "TextAudience",
}
"""Every environment id and the class in :mod:`kilroy_gym.audiences` that is behind it."""

COMPOSED = {"Kilroy-ZigzagSteps-v0"}
"""The ids where a post is composed token by token."""


def audience_class(name: str) -> type[Audience]:
    """Returns a class of :mod:`kilroy_gym.audiences` by its name.

    Raises:
        ValueError: There is no such class.
    """
    found = getattr(importlib.import_module("kilroy_gym.audiences"), name, None)
    if not (isinstance(found, type) and issubclass(found, Audience)):
        raise ValueError(f"audience must be one of {sorted(set(AUDIENCES.values()))}, got {name!r}")
    return found


def register() -> None:
    """Registers every environment id with Gymnasium; a second call changes nothing."""
    for env_id, name in AUDIENCES.items():
        if env_id not in gym.registry:
            kind = "compose:Composed" if env_id in COMPOSED else "suite:Simulated"
            gym.register(
                id=env_id,
                entry_point=f"kilroy_gym.envs.{kind}Env",
                vector_entry_point=f"kilroy_gym.envs.{kind}VectorEnv",
                kwargs={"audience": name},
            )


class SimulatedEnv(FaceEnv[Any, int]):
    """A simulated audience, one post a step. Its page is the docstring of its audience.

    Args:
        audience: Name of a class in :mod:`kilroy_gym.audiences`.
        post_rate: Seconds to wait after each post.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        render_mode: See :class:`~kilroy_gym.envs.FaceEnv`.
        clock: See :class:`~kilroy_gym.envs.FaceEnv`.
        **kwargs: Arguments of the audience.
    """

    def __init__(
        self,
        audience: str,
        post_rate: float = 0.0,
        score_delay_s: float = 0.0,
        render_mode: str | None = None,
        clock: Clock | None = None,
        **kwargs: Any,
    ) -> None:
        """Makes the audience and a Face of it."""
        face = SimulatedFace(audience_class(audience)(**kwargs))
        super().__init__(face, face.codec, post_rate, score_delay_s, render_mode, clock)
        self.__doc__ = face.audience.__doc__


class SimulatedVectorEnv(FaceVectorEnv[Any, int]):
    """A simulated audience, one round a step. Its page is the docstring of its audience.

    Args:
        num_envs: Posts in a round.
        audience: Name of a class in :mod:`kilroy_gym.audiences`.
        post_rate: Seconds to wait after each post.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        wait: See :class:`~kilroy_gym.envs.FaceVectorEnv`.
        render_mode: See :class:`~kilroy_gym.envs.FaceVectorEnv`.
        clock: See :class:`~kilroy_gym.envs.FaceVectorEnv`.
        **kwargs: Arguments of the audience.
    """

    def __init__(
        self,
        num_envs: int,
        audience: str,
        post_rate: float = 0.0,
        score_delay_s: float = 0.0,
        wait: bool = True,
        render_mode: str | None = None,
        clock: Clock | None = None,
        **kwargs: Any,
    ) -> None:
        """Makes the audience and a Face of it."""
        face = SimulatedFace(audience_class(audience)(**kwargs))
        super().__init__(
            face, num_envs, face.codec, post_rate, score_delay_s, wait, render_mode, clock
        )
        self.__doc__ = face.audience.__doc__
