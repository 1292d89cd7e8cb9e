"""Kilroy environments, as whoever plays them needs them."""

from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from kilroy_gym.adapters.whole_posts import WholePosts
from kilroy_gym.codecs import Codec, SequenceCodec
from kilroy_gym.interfaces import AnyEnv, KilroyEnv


def as_vector(env: AnyEnv) -> VectorEnv[Any, Any, Any]:
    """Returns vector environments unchanged; wraps a single environment as one slot.

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


def kilroy_envs(env: AnyEnv) -> list[KilroyEnv]:
    """Returns the Kilroy environments inside wrappers: one, or one per slot if they are separate.

    Raises:
        TypeError: There is none inside.
    """
    base = env.unwrapped
    inside = [each.unwrapped for each in base.envs] if isinstance(base, SyncVectorEnv) else [base]
    found: list[KilroyEnv] = [each for each in inside if isinstance(each, KilroyEnv)]
    if len(found) < len(inside):
        raise TypeError(
            f"{env} is no Kilroy environment; make one with FaceEnv(face, codec) or gym.make"
        )
    return found


def kilroy_env(env: AnyEnv) -> KilroyEnv:
    """Returns the Kilroy environment inside wrappers, the first of several separate ones.

    Raises:
        TypeError: There is none inside.
    """
    return kilroy_envs(env)[0]


def codec_of(env: AnyEnv) -> Codec[Any]:
    """Returns the codec of the Kilroy environment inside wrappers.

    Raises:
        TypeError: It is no Kilroy environment, or has no codec.
    """
    codec = kilroy_env(env).codec
    if codec is None:
        raise TypeError(
            "the environment has no codec, so its actions are no numbers; give it one, such as "
            "codec=BinaryCodec(), CategoricalCodec(choices) or BoxCodec(low, high)"
        )
    return codec


def whole_posts(env: AnyEnv) -> VectorEnv[Any, Any, Any]:
    """Returns a vector environment in which every step makes a whole post in every slot.

    Raises:
        TypeError: It is no Kilroy environment.
        ValueError: It resets in another mode than ``SAME_STEP``.
    """
    vector = as_vector(env)
    inside = kilroy_env(vector)
    if inside.composed and isinstance(inside.codec, SequenceCodec):
        return WholePosts(vector, inside.codec, kilroy_envs(vector))
    return vector
