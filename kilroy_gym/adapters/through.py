"""What wrappers make of observations on their way to an agent, and of its actions on theirs."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorActionWrapper, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate
from gymnasium.wrappers import (
    ClipAction,
    DelayObservation,
    FrameStackObservation,
    MaxAndSkipObservation,
    RescaleAction,
    TimeAwareObservation,
)
from gymnasium.wrappers.vector import VectorizeTransformAction

from kilroy_gym.adapters.wrappers import layers, rewrapped
from kilroy_gym.interfaces import AnyArray, AnyEnv, Info, Observation, RevertsActions

REMEMBERS = (
    DelayObservation,
    FrameStackObservation,
    MaxAndSkipObservation,
    TimeAwareObservation,
)
"""What an agent sees through them depends on earlier steps of the episode."""


class _Shows(gym.Env[Any, Any]):
    """Stands in for an environment, and shows what it is given."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        self.observation_space, self.action_space = env.observation_space, env.action_space
        self.shown: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, Info]:
        return self.shown, {}


class ShowsBatch(VectorEnv[Any, Any, Any]):
    """Stands in for a vector environment, and shows what it is given.

    Args:
        num_envs: The slots.
        observation_space: Of one slot.
        action_space: Of one slot.
        metadata: Of the environment that it stands in for.

    Attributes:
        shown: A batch of as many observations as there are slots.
    """

    def __init__(
        self,
        num_envs: int,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        metadata: dict[str, Any],
    ) -> None:
        """Shows nothing yet."""
        self.num_envs, self.metadata = num_envs, metadata
        self.single_observation_space, self.single_action_space = observation_space, action_space
        self.observation_space = batch_space(observation_space, num_envs)
        self.action_space = batch_space(action_space, num_envs)
        self.shown: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, Info]:
        """Shows it."""
        return self.shown, {}


def seen_through(env: AnyEnv, observations: Observation, learning: bool = False) -> Any:
    """Returns what an agent sees where the innermost environment shows something.

    Each observation is taken for the first of an episode.

    Args:
        env: The environment, wrapped or not.
        observations: A batch of the innermost environment's observations, of any size.
        learning: Whether the statistics that wrappers normalize with learn from it.

    Raises:
        TypeError: A wrapper cannot be copied, or does more on a reset than to look.
    """
    if not [*layers(env)]:
        return observations
    base: Any = env.unwrapped
    if isinstance(env, VectorEnv):
        spaces = base.single_observation_space, base.single_action_space
        stand_in = ShowsBatch(base.num_envs, *spaces, base.metadata)
        twin = rewrapped(env, stand_in, learning)

        def show(rows: Any) -> Any:
            stand_in.shown = rows
            return _reset(env, twin)

        return in_chunks(show, observations, base.num_envs)
    single = _Shows(base)
    twin, seen = rewrapped(env, single, learning), []
    for single.shown in iterate(
        batch_space(base.observation_space, size_of(observations)), observations
    ):
        seen.append(_reset(env, twin))
    return batch_of(twin.observation_space, seen)


def _reset(env: AnyEnv, twin: Any) -> Any:
    try:
        return twin.reset()[0]
    except Exception as error:  # whatever a foreign wrapper raises
        names = ", ".join(type(layer).__name__ for layer in layers(env))
        raise TypeError(
            f"what the agent would see of a post's context through {names} is not known, since "
            f"it needs the environment itself for that: {type(error).__name__} {error}"
        ) from error


def batch_of(space: gym.Space[Any], values: Sequence[Any]) -> Any:
    """Returns values of a space as a batch."""
    empty: Any = create_empty_array(space, len(values))
    return concatenate(space, values, empty)


def size_of(observations: Observation) -> int:
    """Returns how many observations a batch holds."""
    if isinstance(observations, dict):
        return size_of(next(iter(observations.values())))
    return len(observations)


def each_part(observations: Observation, function: Callable[[Any], Any]) -> Any:
    """Applies a function to a batch, or to each part of one that has several."""
    if isinstance(observations, dict):
        return {key: each_part(part, function) for key, part in observations.items()}
    return function(observations)


def in_chunks(show: Callable[[Any], Any], observations: Observation, rows: int) -> Any:
    """Takes a batch of any size through a function of exactly so many rows."""
    count, parts = size_of(observations), []
    for start in range(0, count, rows):
        numbers = np.arange(start, start + rows).clip(max=count - 1)
        # Copied, since wrappers may fill the same array again.
        parts.append(copy.deepcopy(show(each_part(observations, partial(_rows, numbers=numbers)))))
    whole = np.arange(count)  # without what filled the last chunk up
    if isinstance(parts[0], dict):
        return {key: np.concatenate([part[key] for part in parts])[whole] for key in parts[0]}
    return np.concatenate(parts)[whole]


def _rows(part: Any, numbers: AnyArray) -> AnyArray:
    rows: AnyArray = np.asarray(part)[numbers]
    return rows


def reverted(env: AnyEnv, actions: AnyArray) -> AnyArray:
    """Returns the actions of an agent that the wrappers turn into those of the environment.

    Args:
        env: The environment, wrapped or not.
        actions: Actions of the innermost environment, of shape ``(n, *space.shape)``.

    Raises:
        TypeError: A wrapper cannot be inverted; the message names it.
    """
    for layer in reversed([*layers(env)]):
        actions = _reverted_by(layer, actions)
    return actions


def _reverted_by(layer: Any, actions: AnyArray) -> AnyArray:
    if isinstance(layer, VectorWrapper):
        changes = layer.single_action_space != layer.env.single_action_space
    else:
        changes = layer.action_space != layer.env.action_space
    if not (changes or isinstance(layer, gym.ActionWrapper | VectorActionWrapper)):
        return actions
    if isinstance(layer, RevertsActions):
        return np.array([layer.revert_action(action) for action in actions])
    if isinstance(layer, VectorizeTransformAction):
        return _reverted_by(layer.wrapper, actions)
    if isinstance(layer, ClipAction):
        return actions
    if isinstance(layer, RescaleAction):
        inner: Any = layer.env.action_space
        outer: Any = layer.action_space
        share = (actions.astype(np.float64) - inner.low) / (inner.high - inner.low)
        rescaled = outer.low + share * (outer.high - outer.low)
        found: AnyArray = rescaled.clip(outer.low, outer.high).astype(outer.dtype)
        return found
    raise not_inverted(layer)


def not_inverted(wrapper: object) -> TypeError:
    """Returns the refusal of a wrapper that turns actions into others in a way of its own."""
    return TypeError(
        f"posts cannot be cloned through {type(wrapper).__name__}, since nobody knows which action "
        "it turns into a given post: take it off, or put a wrapper there that has a method "
        "revert_action(action) (RescaleAction, ClipAction and DiscretizeAction work)"
    )
