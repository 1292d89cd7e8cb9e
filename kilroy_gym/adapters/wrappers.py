"""The wrappers around an environment: what they make of observations and actions.

Wrappers are copied: around a copy of the world, to evaluate there, or around a stand-in that
shows what it is given, to learn what an agent would see of it.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from gymnasium.wrappers import AddRenderObservation, NormalizeObservation, NormalizeReward

from kilroy_gym.interfaces import AnyEnv

LEFT_OFF = {
    "gymnasium.Autoreset",
    "gymnasium.HumanRendering",
    "gymnasium.RecordEpisodeStatistics",
    "gymnasium.RecordVideo",
    "gymnasium.RenderCollection",
    "minari.DataCollector",
    "stable_baselines3.Monitor",
}
"""Wrappers that record or show what happens, and change neither observations nor actions.

By name, since a library need not be there, or not be new enough to have its wrapper.
"""


def layers(env: AnyEnv) -> Iterator[Any]:
    """Yields the wrappers around an environment, from the outside in."""
    layer: Any = env
    while layer is not layer.unwrapped:
        yield layer
        layer = layer.env


def short_name(kind: type) -> str:
    """Returns the name of a class with that of its library, such as ``"sbx.PPO"``."""
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__}"


def left_off(layer: object) -> bool:
    """Tells whether a wrapper only records or shows, so that a copy does without it."""
    return any(short_name(kind) in LEFT_OFF for kind in type(layer).__mro__)


def copied(layer: Any, copies: Mapping[int, Any], learning: bool = False) -> Any:
    """Returns a copy of a wrapper around the copy of what is inside.

    Args:
        layer: The wrapper.
        copies: What is copied already, by the id of the original.
        learning: Whether the statistics that the copy normalizes with are those of its original,
            and go on learning; else they stay as they are now.

    Raises:
        TypeError: It cannot be copied; the message names it.
    """
    if isinstance(layer, AddRenderObservation):
        raise not_copied(layer, "it shows what the environment renders that it was made on")
    memo, normalizes = dict(copies), isinstance(layer, NormalizeObservation)
    if normalizes and learning:
        memo[id(layer.obs_rms)] = layer.obs_rms
    try:
        twin = copy.deepcopy(layer, memo)
    except Exception as error:  # whatever a foreign object raises where it cannot be copied
        raise not_copied(layer, f"{type(error).__name__}: {error}") from error
    if isinstance(twin, NormalizeObservation | NormalizeReward) and not learning:
        twin.update_running_mean = False
    return twin


def not_copied(wrapper: object, reason: str) -> TypeError:
    """Returns the refusal of a wrapper that cannot be copied."""
    return TypeError(
        f"{type(wrapper).__name__} cannot be copied to evaluate on, or to clone posts through "
        f"({reason}): take it off, or give it a __deepcopy__"
    )


def rewrapped(env: AnyEnv, inside: AnyEnv, learning: bool = False) -> Any:
    """Puts copies of the wrappers around one environment around another.

    Args:
        env: The environment whose wrappers are copied.
        inside: What goes in the place of the innermost environment.
        learning: As for :func:`copied`.

    Raises:
        TypeError: A wrapper cannot be copied; the message names it.
    """
    copies: dict[int, Any] = {id(env.unwrapped): inside}
    for layer in reversed([*layers(env)]):
        within = copies[id(layer.env)]
        copies[id(layer)] = within if left_off(layer) else copied(layer, copies, learning)
    return copies[id(env)]
