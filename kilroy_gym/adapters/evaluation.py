"""Measures how good an agent is at present."""

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv, VectorWrapper

from kilroy_gym.adapters.environments import kilroy_envs
from kilroy_gym.adapters.wrappers import copied, left_off
from kilroy_gym.interfaces import Agent, AnyEnv


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
        if left_off(layer):
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


def _copied(layer: Any, copies: dict[int, Any]) -> Any:
    """Returns a copy of a layer around the copies of those inside.

    Raises:
        TypeError: It cannot be copied.
    """
    if not isinstance(layer, SyncVectorEnv):
        return copied(layer, copies)
    slots = [copies[id(slot)] for slot in layer.envs]
    return SyncVectorEnv(
        [lambda slot=slot: slot for slot in slots],  # type: ignore[misc]
        layer.copy,
        layer.observation_mode,
        layer.metadata["autoreset_mode"],
    )
