"""What can be said of a model before it posts anything."""

from typing import Any

from gymnasium import Space
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete
from stable_baselines3 import A2C, DDPG, DQN, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from kilroy_gym.codecs import Codec, SequenceCodec

EVERY_SPACE: tuple[type[Space[Any]], ...] = (Box, Discrete, MultiDiscrete, MultiBinary)
PLAYS: dict[type[BaseAlgorithm], tuple[type[Space[Any]], ...]] = {
    PPO: EVERY_SPACE,
    A2C: EVERY_SPACE,
    DQN: (Discrete,),
    SAC: (Box,),
    TD3: (Box,),
    DDPG: (Box,),
}
"""The action spaces that each algorithm can play."""


def check_algorithm(algorithm: type[BaseAlgorithm], space: Space[Any]) -> None:
    """Refuses an algorithm that cannot play an action space.

    Raises:
        TypeError: It cannot; the message says which can.
    """
    spaces = PLAYS.get(algorithm)
    if spaces is None or isinstance(space, spaces):
        return
    able = [other.__name__ for other, playable in PLAYS.items() if isinstance(space, playable)]
    advice = f"{', '.join(able)} can" if able else "none of Stable-Baselines3's algorithms can"
    raise TypeError(f"{algorithm.__name__} cannot play the action space {space}; {advice}")


def steps_per_update(model: BaseAlgorithm) -> int:
    """Returns how many rounds a model plays between two updates."""
    if isinstance(model, OnPolicyAlgorithm):
        return model.n_steps
    if isinstance(model, OffPolicyAlgorithm):
        # Converted by the model when it was set up; an episode is a post, so its unit is no matter.
        return int(model.train_freq.frequency)  # type: ignore[union-attr]
    raise TypeError(
        f"model must be an on-policy or off-policy algorithm of Stable-Baselines3, got {model!r}"
    )


def why_useless(model: BaseAlgorithm, budget: int, hold_posts: int | None = None) -> str:
    """Says why a budget of posts would not change a model; returns "" where it would.

    Args:
        model: The model.
        budget: Posts that it may make.
        hold_posts: Posts before it learns after a warm start, in place of ``learning_starts``.
    """
    steps = steps_per_update(model)
    rollout = needed = model.n_envs * steps
    most = max(budget // model.n_envs, 1)
    settings, advice = f"n_steps={steps}", f"n_steps={most} or less"
    if isinstance(model, OffPolicyAlgorithm):
        starts = model.learning_starts - model.num_timesteps if hold_posts is None else hold_posts
        # It learns after the first rollout that takes it beyond learning_starts.
        needed = (max(starts, 0) // rollout + 1) * rollout
        settings = f"learning_starts={max(starts, 0)} and train_freq={steps}"
        advice = f"learning_starts below {budget} and train_freq={most} or less"
    if needed <= budget:
        return ""
    slots = f"{model.n_envs} slot{'' if model.n_envs == 1 else 's'}"
    return (
        f"with {settings} on {slots} {type(model).__name__} makes {needed} posts "
        f"before its first update, and the budget is {budget}: set {advice}, or raise the budget"
    )


def codec_of(vec_env: VecEnv) -> Codec[Any]:
    """Returns the codec of the environment inside.

    Raises:
        TypeError: It is no Kilroy environment, or has no codec.
    """
    try:
        codec = vec_env.get_attr("codec")[0]
    except AttributeError:
        raise TypeError(
            f"{vec_env} is no Kilroy environment; make one with FaceEnv(face, codec) or gym.make"
        ) from None
    if not isinstance(codec, Codec):
        raise TypeError(
            "the environment has no codec, so its actions are no numbers; give it one, such as "
            "codec=BinaryCodec(), CategoricalCodec(choices) or BoxCodec(low, high)"
        )
    return codec


def composed(model: BaseAlgorithm, codec: Codec[Any]) -> SequenceCodec | None:
    """Returns the codec of whole posts, where a model writes these token by token."""
    tokens = isinstance(codec, SequenceCodec) and model.action_space != codec.space
    return codec if tokens and isinstance(codec, SequenceCodec) else None


def faces_of(vec_env: VecEnv) -> list[Any]:
    """Returns the Face behind each slot."""
    return list(vec_env.get_attr("face"))
