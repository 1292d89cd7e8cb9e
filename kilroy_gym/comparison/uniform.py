"""How good uniformly random posts are: the level that agents start from."""

import math

import gymnasium as gym
import numpy as np

from kilroy_gym._records import Floats
from kilroy_gym.adapters.environments import kilroy_env, whole_posts

UNIFORM_RUNS = 10
"""How often the uniform policy is played in each world."""


def uniform_levels(env_id: str, seed: int, posts: int) -> Floats | None:
    """Returns how good uniformly random actions are at the time of each post.

    They are played ten times from the start of the world that the seed stands for, without an
    agent. The level of a post is the mean of its ten expected scores (scores, where the truth is
    not known); :func:`~kilroy_gym.comparison.measures.arrival` averages 100 of these levels.

    Args:
        env_id: The environment.
        seed: Seed of the world.
        posts: How many posts to make.

    Returns:
        float64 of shape ``(posts,)``, or ``None`` where the environment has no codec: posts
        cannot be made at random then.
    """
    slots = min(posts, 100)
    env = whole_posts(gym.make_vec(env_id, num_envs=slots))
    if kilroy_env(env).codec is None:
        return None
    env.action_space.seed(seed)
    total = np.zeros(posts)
    for _ in range(UNIFORM_RUNS):
        env.reset(seed=seed)
        levels: list[Floats] = []
        for _ in range(math.ceil(posts / slots)):
            _, rewards, _, _, infos = env.step(env.action_space.sample())
            levels.append(infos["final_info"].get("expected_score", rewards))
        total += np.concatenate(levels)[:posts]
    env.close()
    return total / UNIFORM_RUNS
