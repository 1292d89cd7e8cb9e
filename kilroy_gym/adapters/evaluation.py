"""Measures how good an agent is at present."""

import copy
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv, VectorWrapper
from gymnasium.wrappers import vector

from kilroy_gym.adapters.environments import kilroy_envs
from kilroy_gym.interfaces import Agent, AnyEnv

LEFT_OFF = (
    gym.wrappers.Autoreset,
    gym.wrappers.HumanRendering,
    gym.wrappers.RecordEpisodeStatistics,
    gym.wrappers.RecordVideo,
    gym.wrappers.RenderCollection,
    vector.HumanRendering,
    vector.RecordEpisodeStatistics,
    vector.RecordVideo,
)
"""Wrappers that record or show what happens, and change neither observations nor actions."""

LEFT_OFF_BY_NAME = {("minari", "DataCollector"), ("stable_baselines3", "Monitor")}
"""Those of other libraries, by package and class, so that these need not be imported."""


def evaluation_copy(env: AnyEnv) -> AnyEnv:
    """Returns an independent copy of an environment and its world, to evaluate on.

    Wrappers are copied for what they do to observations and actions. Those that record or render
    are left off, running statistics stay as they are, and the copy waits for every score.

    Args:
        env: A simulated Kilroy environment, wrapped or not.

    Raises:
        TypeError: The Face is a live one, or a wrapper cannot be copied; the message names it.
    """
    copies: dict[int, Any] = {id(inside): inside.snapshot() for inside in kilroy_envs(env)}
    for layer in _inside_out(env):
        if id(layer) in copies:
            continue
        if _left_off(layer):
            copies[id(layer)] = copies[id(layer.env)]
        else:
            copies[id(layer)] = _copied(layer, copies)
    twin: AnyEnv = copies[id(env)]
    for inside in kilroy_envs(twin):
        inside.wait = True  # a pending score is not a score
    return twin


def mean_score(agent: Agent, env: AnyEnv, posts: int) -> float:
    """Returns the mean score of an agent's next posts, without learning from them.

    The scores are those of the Face: no wrapper of rewards changes them.

    Args:
        agent: The agent.
        env: A Kilroy environment, wrapped or not; a vector environment must have autoreset mode
            ``SAME_STEP`` and wait for scores.
        posts: How many posts to score; the last round may make more, which do not count.
    """
    several = isinstance(env, VectorEnv)
    slots = env.num_envs if isinstance(env, VectorEnv) else 1
    # Each slot gets its share in advance: otherwise short composed posts, which end first, would
    # count too often.
    left = (posts - np.arange(slots) - 1) // slots + 1
    inside, counted = kilroy_envs(env), list[float]()
    observation, _ = env.reset()
    state, ended = None, np.ones(slots, np.bool_)
    while left.any():
        action, state = agent.predict(observation, state, ended)
        observation, _, terminated, truncated, _ = env.step(action)
        ended = np.atleast_1d(terminated | truncated)
        scores = np.concatenate([each.last_scores for each in inside])
        counts = ~np.isnan(scores) & (left > 0)
        counted += scores[counts].tolist()
        left -= counts
        if not several and ended[0]:
            observation, _ = env.reset()
    return float(np.mean(counted))


def _inside_out(env: Any) -> Iterator[Any]:
    """Yields the layers of an environment, the innermost first, those of every slot too."""
    if isinstance(env, (gym.Wrapper, VectorWrapper)):
        yield from _inside_out(env.env)
    elif isinstance(env, SyncVectorEnv):
        for slot in env.envs:
            yield from _inside_out(slot)
    yield env


def _left_off(layer: Any) -> bool:
    """Tells whether a wrapper does nothing to observations and actions."""
    bases = {(base.__module__.partition(".")[0], base.__name__) for base in type(layer).__mro__}
    return isinstance(layer, LEFT_OFF) or bool(bases & LEFT_OFF_BY_NAME)


def _copied(layer: Any, copies: dict[int, Any]) -> Any:
    """Returns a copy of a layer around the copies of those inside.

    Raises:
        TypeError: It cannot be copied.
    """
    name = type(layer).__name__
    if isinstance(layer, gym.wrappers.AddRenderObservation):
        raise TypeError(f"{name} cannot be copied to evaluate on: a copy renders nothing")
    if isinstance(layer, SyncVectorEnv):
        slots = [copies[id(slot)] for slot in layer.envs]
        return SyncVectorEnv(
            [lambda slot=slot: slot for slot in slots],  # type: ignore[misc]
            layer.copy,
            layer.observation_mode,
            layer.metadata["autoreset_mode"],
        )
    try:
        twin = copy.deepcopy(layer, dict(copies))
    except Exception as error:
        raise TypeError(
            f"{name} cannot be copied to evaluate on ({type(error).__name__}: {error}): "
            "evaluate on an environment without it, or give it a __deepcopy__"
        ) from error
    if isinstance(twin, (gym.wrappers.NormalizeObservation, gym.wrappers.NormalizeReward)):
        twin.update_running_mean = False
    return twin
