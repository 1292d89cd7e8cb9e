"""What can be said of a model before it posts anything."""

from stable_baselines3 import A2C, DDPG, DQN, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from kilroy_gym.adapters.wrappers import short_name

SUGGESTED: tuple[type[BaseAlgorithm], ...] = (PPO, A2C, DQN, SAC, TD3, DDPG)
"""Named where another algorithm cannot play."""


def plays(algorithm: type[BaseAlgorithm], vec_env: VecEnv, policy: str = "MlpPolicy") -> bool:
    """Tells whether an algorithm takes the spaces of an environment: it says so itself."""
    try:
        algorithm(policy, vec_env, device="cpu", _init_setup_model=False)  # type: ignore[call-arg]
    except (AssertionError, ValueError):  # of the action space, of the observation space
        return False
    return True


def cannot_play(algorithm: type[BaseAlgorithm], vec_env: VecEnv, policy: str) -> TypeError:
    """Returns the error of an algorithm that cannot play; it says which can."""
    able = [each.__name__ for each in SUGGESTED if plays(each, vec_env, policy)]
    advice = f"{', '.join(able)} can" if able else "none of Stable-Baselines3's algorithms can"
    return TypeError(
        f"{algorithm.__name__} cannot play the action space {vec_env.action_space}; {advice}"
    )


def steps_per_update(model: BaseAlgorithm) -> int:
    """Returns how many rounds a model plays between two updates.

    Raises:
        TypeError: It learns in another way, such as by evolution.
    """
    if isinstance(model, OnPolicyAlgorithm):
        return model.n_steps
    if isinstance(model, OffPolicyAlgorithm):
        # Converted by the model when it was set up. The unit does not matter: an episode is a post.
        return int(model.train_freq.frequency)  # type: ignore[union-attr]
    raise TypeError(
        f"{short_name(type(model))} is neither an on-policy nor an off-policy algorithm of "
        "Stable-Baselines3, so how many posts it makes before it learns from them is not known "
        "and a budget of posts cannot be kept; PPO, A2C and DQN are such algorithms"
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
