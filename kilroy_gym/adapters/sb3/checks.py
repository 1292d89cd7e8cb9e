"""What can be said of a model before it posts anything."""

from typing import Any

from gymnasium import Space
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete
from stable_baselines3 import A2C, DDPG, DQN, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from kilroy_gym.codecs import Codec

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
        return model.train_freq.frequency  # type: ignore[union-attr]
    raise TypeError(
        f"model must be an on-policy or off-policy algorithm of Stable-Baselines3, got {model!r}"
    )


def posts_to_first_update(model: BaseAlgorithm, learning_starts: int) -> int:
    """Returns how many posts a model makes from now on before it learns from any.

    Args:
        model: The model.
        learning_starts: How many posts an off-policy model makes before its first update.
    """
    rollout = model.n_envs * steps_per_update(model)
    if isinstance(model, OnPolicyAlgorithm):
        return rollout
    # It learns after the first rollout that takes it beyond learning_starts.
    missing = max(learning_starts - model.num_timesteps, 0)
    return (missing // rollout + 1) * rollout


def settings_to_change(model: BaseAlgorithm, budget: int, learning_starts: int) -> str:
    """Says which settings of a model make its first update wait, and what would do."""
    most = max(budget // model.n_envs, 1)
    if isinstance(model, OnPolicyAlgorithm):
        return f"n_steps={model.n_steps} with {model.n_envs} slots; n_steps={most} or less would do"
    return (
        f"learning_starts={learning_starts} and train_freq={steps_per_update(model)} with "
        f"{model.n_envs} slots; learning_starts below {budget} and train_freq={most} or less "
        "would do"
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


def faces_of(vec_env: VecEnv) -> list[Any]:
    """Returns the Face behind each slot."""
    return list(vec_env.get_attr("face"))
