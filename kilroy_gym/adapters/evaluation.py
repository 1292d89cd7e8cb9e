"""How good an agent is at this moment."""

from typing import Any

import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv

from kilroy_gym.adapters.environments import as_vector, kilroy_env
from kilroy_gym.adapters.wrappers import rewrapped
from kilroy_gym.interfaces import Agent, AnyEnv


def copy_to_evaluate(env: AnyEnv) -> Any:
    """Returns a copy of a simulated world with its environment and the wrappers around that.

    Wrappers that record, render or change rewards are left off. Of separate environments it is
    the first.

    Raises:
        TypeError: The Face is a live one, or a wrapper cannot be copied; the message names it.
    """
    twin = kilroy_env(env).snapshot()
    twin.wait = True  # always when evaluating: a pending score is not a score
    base = env.unwrapped
    if not isinstance(base, SyncVectorEnv):
        return rewrapped(env, twin)
    first: Any = rewrapped(base.envs[0], twin)
    return first if env is base else rewrapped(env, as_vector(first))


def mean_score(agent: Agent, env: Any, posts: int) -> float:
    """Returns the mean score of an agent's next posts, without learning from them.

    Args:
        agent: The agent.
        env: A Kilroy environment, or a vector environment that resets in the ``SAME_STEP`` and
            waits for scores.
        posts: How many posts to make; more may go out in the last round, and do not count.
    """
    vector = isinstance(env, VectorEnv)
    slots = env.num_envs if vector else 1
    # Shared out beforehand: of composed posts the short ones, done first, would count too often.
    left = (posts - np.arange(slots) - 1) // slots + 1
    returns, scores = np.zeros(slots), list[float]()
    observation, _ = env.reset()
    state, ended = None, np.ones(slots, np.bool_)
    while left.any():
        action, state = agent.predict(observation, state, ended)
        observation, rewards, terminated, truncated, _ = env.step(action)
        returns += rewards
        ended = np.atleast_1d(terminated | truncated)
        counted = ended & (left > 0)
        scores += returns[counted].tolist()
        left -= counted
        returns[ended] = 0
        if not vector and ended[0]:
            observation, _ = env.reset()
    return float(np.mean(scores))
