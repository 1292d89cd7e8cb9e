"""``model.learn`` within a budget of posts."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, CallbackList

from kilroy_gym.adapters.sb3.callbacks import Rounds
from kilroy_gym.adapters.sb3.checks import why_useless
from kilroy_gym.adapters.sb3.hand_over import HandOver
from kilroy_gym.adapters.sb3.played import Played
from kilroy_gym.interfaces import Callback

Callbacks = Callback | BaseCallback | Sequence[BaseCallback]


def learn_within(
    model: BaseAlgorithm,
    played: Played,
    posts: int,
    hand_over: HandOver | None,
    callback: Callbacks | None,
    progress_bar: bool,
    between_updates: Callable[[], object] | None,
) -> None:
    """Lets a model post and learn, in whole rounds, from where it is.

    Args:
        model: The model.
        played: What it plays.
        posts: The most posts to make.
        hand_over: What follows a warm start, if there was one.
        callback: Called with every round; or one of Stable-Baselines3's own, or several.
        progress_bar: Whether to show one.
        between_updates: Called before the first post, and after every update but the last.

    Raises:
        TypeError: ``callback`` is something else.
        ValueError: The budget does not allow one round, or on a live Face no update.

    Warns:
        UserWarning: The budget was too small for an update.
    """
    reported, own = sorted_out(callback)
    budget = posts // model.n_envs * model.n_envs
    if budget < 1:
        raise ValueError(
            f"a round makes {model.n_envs} posts, so a budget of {posts} allows none: "
            "raise the budget or build the model with fewer slots"
        )
    whole = played.composed
    steps = budget if whole is None else budget * (whole.length - 1)
    useless = why_useless(model, steps, hand_over.hold_left if hand_over else None)
    if useless and not played.simulated:
        raise ValueError(f"{useless}; nothing was posted")
    rounds = Rounds(budget, played, reported, between_updates)
    callbacks = [rounds, *([hand_over] if hand_over else []), *own]
    # The model forgets the last observation, so that learning begins with new episodes.
    model.set_env(played.vec_env)
    with hand_over.guiding() if hand_over else nullcontext():
        model.learn(
            steps,
            CallbackList(callbacks),
            reset_num_timesteps=False,
            progress_bar=progress_bar,
        )
    if useless and rounds.posts == budget:
        warnings.warn(f"{useless}; it was not updated", UserWarning, stacklevel=4)


def sorted_out(callback: Callbacks | None) -> tuple[Callback | None, list[BaseCallback]]:
    """Tells a function that is called with every round from callbacks of Stable-Baselines3.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(callback, BaseCallback):
        return None, [callback]
    if isinstance(callback, Sequence) and all(isinstance(one, BaseCallback) for one in callback):
        return None, list(callback)
    if callback is None or callable(callback):
        return callback, []
    raise TypeError(
        "callback must be a function of a Round, a callback of Stable-Baselines3 or a list of "
        f"these, got {callback!r}; nothing was posted"
    )
