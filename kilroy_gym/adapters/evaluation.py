"""Measures how good an agent is at present."""

import numpy as np
from gymnasium.vector import VectorEnv

from kilroy_gym.interfaces import Agent, AnyEnv


def mean_score(agent: Agent, env: AnyEnv, posts: int) -> float:
    """Returns the mean score of an agent's next posts, without learning from them.

    Args:
        agent: The agent.
        env: A Kilroy environment; a vector environment must have autoreset mode ``SAME_STEP`` and
            wait for scores.
        posts: How many posts to score; the last round may make more, which do not count.
    """
    slots = env.num_envs if isinstance(env, VectorEnv) else 1
    # Each slot gets its share in advance: otherwise short composed posts, which end first, would
    # count too often.
    left = (posts - np.arange(slots) - 1) // slots + 1
    returns, scores = np.zeros(slots), list[float]()
    observation, _ = env.reset()
    state = None
    while left.any():
        action, state = agent.predict(observation, state)
        observation, rewards, terminated, truncated, _ = env.step(action)
        returns += np.asarray(rewards, np.float64)
        ended = np.atleast_1d(terminated | truncated)
        counted = ended & (left > 0)
        scores += returns[counted].tolist()
        left -= counted
        returns[ended] = 0
        if not isinstance(env, VectorEnv) and ended[0]:
            observation, _ = env.reset()
    return float(np.mean(scores))
