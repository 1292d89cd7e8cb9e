"""Kilroy environments, as whoever plays them needs them."""

from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from kilroy_gym.adapters.whole_posts import WholePosts
from kilroy_gym.codecs import SequenceCodec


def as_vector(env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any]) -> VectorEnv[Any, Any, Any]:
    """Returns a vector environment as it is, and one of one post a step as one of a single slot.

    Raises:
        TypeError: It is no environment.
        ValueError: It resets in another mode than ``SAME_STEP``.
    """
    if isinstance(env, gym.Env):
        return SyncVectorEnv([lambda: env], autoreset_mode=AutoresetMode.SAME_STEP)
    if not isinstance(env, VectorEnv):
        raise TypeError(f"env must be a Gymnasium environment, got {env!r}")
    mode = env.metadata.get("autoreset_mode")
    if mode != AutoresetMode.SAME_STEP:
        raise ValueError(
            f"a vector environment must have autoreset_mode=SAME_STEP, this one has {mode}: an "
            "episode is one post, and in the other modes every second action is ignored"
        )
    return env


def env_attribute(env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any], name: str) -> Any:
    """Returns an attribute of the Kilroy environment inside wrappers and vector environments.

    Raises:
        TypeError: There is none inside.
    """
    base = env.unwrapped
    if isinstance(base, SyncVectorEnv):
        base = base.envs[0].unwrapped
    if not hasattr(base, name):
        raise TypeError(
            f"{env} is no Kilroy environment; make one with FaceEnv(face, codec) or gym.make"
        )
    return getattr(base, name)


def whole_posts(env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any]) -> VectorEnv[Any, Any, Any]:
    """Returns a vector environment in which every step makes a whole post in every slot.

    Raises:
        TypeError: It is no Kilroy environment.
        ValueError: It resets in another mode than ``SAME_STEP``.
    """
    vector = as_vector(env)
    codec = env_attribute(vector, "codec")
    if env_attribute(vector, "composed") and isinstance(codec, SequenceCodec):
        return WholePosts(vector, codec)
    return vector
