"""Thompson sampling with a flat prior: the reference that no bandit learner should lose to."""

import sys
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete

from kilroy_gym import ModuleAgent
from kilroy_gym.adapters import kilroy_env
from kilroy_gym.interfaces import AnyEnv
from kilroy_gym.modules import ThompsonModule

MOST_POSTS = 100_000


def make_agent(env: AnyEnv, seed: int | None = None) -> ModuleAgent[Any, int]:
    """Returns the agent; every possible post is an arm, whatever others write."""
    codec = kilroy_env(env).codec
    space = None if codec is None else codec.space
    sizes: list[int] = []
    if isinstance(space, (Discrete, MultiDiscrete)):
        sizes = np.ravel(space.n if isinstance(space, Discrete) else space.nvec).tolist()
    if codec is None or not sizes or np.prod(sizes) > MOST_POSTS:
        raise TypeError(
            f"thompson plays up to {MOST_POSTS:,} posts that can be counted, not {space}"
        )
    actions = np.indices(sizes).reshape(len(sizes), -1).T
    posts = codec.decode_many(actions.reshape(-1, *(codec.space.shape or ())))
    arms = list(dict.fromkeys(posts))  # several actions may stand for the same post
    return ModuleAgent(ThompsonModule(arms, trust=0.0, seed=seed), env)


if __name__ == "__main__":
    from kilroy_gym.cli import main

    main(["train", "Kilroy-Bernoulli-v0", "--agent", __file__, *sys.argv[1:]])
