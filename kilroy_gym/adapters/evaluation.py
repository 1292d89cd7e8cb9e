"""How good an agent is at this moment."""

from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from kilroy_gym.interfaces import Agent


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
    state = None
    while left.any():
        action, state = agent.predict(observation, state)
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
