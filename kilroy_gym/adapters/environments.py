"""Kilroy environments, in the form that agents need."""

import gymnasium as gym
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from kilroy_gym.adapters.whole_posts import WholePosts
from kilroy_gym.codecs import TokenCodec
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.envs.base import OnFace
from kilroy_gym.interfaces import AnyEnv, AnyVectorEnv, KilroyEnv, Observation


def as_vector(env: AnyEnv) -> AnyVectorEnv:
    """Returns vector environments unchanged; wraps a single environment as one slot.

    Raises:
        TypeError: ``env`` is not a Gymnasium environment.
        ValueError: Its autoreset mode is not ``SAME_STEP``, or its episodes have several posts.
    """
    for inside in _innermost(env):
        if isinstance(inside, KilroyEnv):
            check_one_post(inside)
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


def check_one_post(env: KilroyEnv) -> None:
    """Refuses an environment whose episodes have several posts.

    Raises:
        ValueError: They have; agents would be told of the last one only.
    """
    if env.posts_per_episode is not None:
        raise ValueError(
            f"posts_per_episode={env.posts_per_episode} is for tools that step a single "
            "environment themselves; whoever plays here learns from every post, so make the "
            "environment without it"
        )


def kilroy_envs(env: AnyEnv) -> list[KilroyEnv]:
    """Returns the Kilroy environments inside wrappers: one, or one per slot if they are separate.

    Raises:
        TypeError: There is none.
    """
    inside = _innermost(env)
    # Our own first: on Python 3.11 asking a Protocol takes long, and this is asked often.
    found: list[KilroyEnv] = [each for each in inside if isinstance(each, (OnFace, KilroyEnv))]
    if len(found) < len(inside):
        raise TypeError(
            f"{env} is not a Kilroy environment; make one with FaceEnv(face, codec) or gym.make"
        )
    return found


def kilroy_env(env: AnyEnv) -> KilroyEnv:
    """Returns the Kilroy environment inside wrappers; of several separate ones, the first.

    Raises:
        TypeError: There is none.
    """
    return kilroy_envs(env)[0]


def unflattened(env: AnyEnv, observations: Observation) -> Observation:
    """Returns a batch of observations as the Face shows them, whatever form they come in.

    Raises:
        TypeError: It is no Kilroy environment.
        ValueError: They have another shape, as where a wrapper has changed them.
    """
    return kilroy_env(env).observations.unflattened(observations)


def check_not_pinned(env: AnyEnv, reason: str) -> None:
    """Refuses an environment whose world no seed starts over.

    Args:
        env: A Kilroy environment.
        reason: Why its world would have to start over.

    Raises:
        TypeError: It is no Kilroy environment.
        ValueError: Its world is pinned.
    """
    if any(inside.pinned for inside in kilroy_envs(env)):
        raise ValueError(
            f"world_seed pins the world of this environment, and {reason}: make the environment "
            "without world_seed"
        )


def codec_of(env: AnyEnv) -> AnyCodec:
    """Returns the codec of the Kilroy environment inside wrappers.

    Raises:
        TypeError: It is not a Kilroy environment, or has no codec.
    """
    codec = kilroy_env(env).codec
    if codec is None:
        raise TypeError(
            "the environment has no codec, so its actions are not numbers; give it one, such as "
            "codec=BinaryCodec(), CategoricalCodec(choices) or BoxCodec(low, high)"
        )
    return codec


def whole_posts(env: AnyEnv) -> AnyVectorEnv:
    """Returns a vector environment in which each step makes a whole post in every slot.

    Raises:
        TypeError: It is not a Kilroy environment.
        ValueError: Its autoreset mode is not ``SAME_STEP``.
    """
    vector = as_vector(env)
    inside = kilroy_env(vector)
    if inside.composed and isinstance(inside.codec, TokenCodec):
        return WholePosts(vector, inside.codec, kilroy_envs(vector))
    return vector


def _innermost(env: object) -> list[object]:
    """Returns what is inside all wrappers, of every slot where these are separate."""
    if not isinstance(env, (gym.Env, VectorEnv)):
        return []
    base = env.unwrapped
    return [each.unwrapped for each in base.envs] if isinstance(base, SyncVectorEnv) else [base]
