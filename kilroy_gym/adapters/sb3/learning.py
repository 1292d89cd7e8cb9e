"""``model.learn`` within a budget of posts."""

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.vec_env import VecEnv

from kilroy_gym.adapters.sb3.callbacks import Rounds
from kilroy_gym.adapters.sb3.checks import composed, why_useless
from kilroy_gym.adapters.sb3.hand_over import HandOver
from kilroy_gym.codecs import Codec
from kilroy_gym.interfaces import Callback


def learn_within(
    model: BaseAlgorithm,
    vec_env: VecEnv,
    codec: Codec[Any],
    posts: int,
    hand_over: HandOver | None,
    callback: Callback | BaseCallback | None,
    progress_bar: bool,
    between_updates: Callable[[], object] | None,
) -> None:
    """Lets a model post and learn, in whole rounds, from where it is.

    Args:
        model: The model.
        vec_env: Its environment.
        codec: Between posts and actions.
        posts: The most posts to make.
        hand_over: What follows a warm start, if there was one.
        callback: Called with every round, or one of Stable-Baselines3's own.
        progress_bar: Whether to show one.
        between_updates: Called before the first post, and after every update but the last.

    Raises:
        ValueError: The budget does not allow one round, or on a live Face no update.

    Warns:
        UserWarning: The budget was too small for an update.
    """
    budget = posts // model.n_envs * model.n_envs
    if budget < 1:
        raise ValueError(
            f"a round makes {model.n_envs} posts, so a budget of {posts} allows none: "
            "raise the budget or build the model with fewer slots"
        )
    whole = composed(model, codec)
    steps = budget if whole is None else budget * (whole.length - 1)
    useless = why_useless(model, steps, hand_over.hold_left if hand_over else None)
    if useless and not all(vec_env.get_attr("simulated")):
        raise ValueError(f"{useless}; nothing was posted")
    own = callback if isinstance(callback, BaseCallback) else None
    reported = None if isinstance(callback, BaseCallback) else callback
    rounds = Rounds(budget, codec, reported, between_updates)
    callbacks = [each for each in (rounds, hand_over, own) if each is not None]
    # The model forgets the last observation, so that learning begins with new episodes.
    model.set_env(vec_env)
    with hand_over.guiding() if hand_over else nullcontext():
        model.learn(
            steps,
            CallbackList(callbacks),
            reset_num_timesteps=False,
            progress_bar=progress_bar,
        )
    if useless and rounds.posts == budget:
        warnings.warn(f"{useless}; it was not updated", UserWarning, stacklevel=4)
