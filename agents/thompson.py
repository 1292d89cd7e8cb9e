"""Thompson sampling: draws what it believes of every post, and makes the best of the draw."""

import math
import sys
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete

from kilroy_gym import KilroyModule, ModuleAgent, PostData
from kilroy_gym.adapters.module_agent import env_attribute


class ThompsonModule(KilroyModule[Any, int]):
    """One normal-inverse-gamma posterior an arm, with a prior at the mean of all scores."""

    def __init__(self, env: Any, seed: int | None) -> None:
        """Makes every action of the space an arm."""
        self.codec, self.numbers = env_attribute(env, "codec"), count()
        space: Any = getattr(self.codec, "space", None)
        self.sizes = np.ravel(getattr(space, "nvec", getattr(space, "n", 0))).tolist()
        if not isinstance(space, (Discrete, MultiDiscrete)) or math.prod(self.sizes) > 100_000:
            raise TypeError(f"thompson plays up to 100,000 posts that can be counted, not {space}")
        # By arm: how many scores, their sum, and the sum of their squares.
        self.totals, self.rng = np.zeros((3, math.prod(self.sizes))), np.random.default_rng(seed)

    def generate(self) -> tuple[int, PostData[Any]]:
        """Draws a mean for every arm (Murphy, "Conjugate Bayesian analysis", 2007, sec. 3)."""
        n, sums, squares = self.totals
        centre = sums.sum() / max(n.sum(), 1)
        variance = max(squares.sum() / max(n.sum(), 1) - centre**2, 0.0) or 1.0
        mean = (sums + centre) / (n + 1)  # the prior weighs as much as one score
        error = np.maximum(squares + centre**2 - (n + 1) * mean**2, 0.0)
        noise = (variance + error / 2) / self.rng.gamma(1 + n / 2)
        arm = int(np.argmax(self.rng.normal(mean, np.sqrt(noise / (n + 1)))))
        action = np.reshape(np.unravel_index(arm, self.sizes), self.codec.space.shape)
        return next(self.numbers) * len(mean) + arm, PostData(self.codec.decode(action))

    def mimic(self, posts: Sequence[PostData[Any]]) -> "ThompsonModule":
        """Learns nothing: the prior is flat, however often others make a post."""
        return self

    def reinforce(self, scores: Mapping[int, float]) -> "ThompsonModule":
        """Counts the scores in."""
        for draft_id, score in scores.items():
            self.totals[:, draft_id % self.totals.shape[1]] += 1.0, score, score**2
        return self


def make_agent(env: Any, seed: int | None = None) -> ModuleAgent[Any, int]:
    """Returns the agent; the environment needs a codec."""
    return ModuleAgent(ThompsonModule(env, seed), env)


if __name__ == "__main__":
    from kilroy_gym.cli import main

    main(["train", "Kilroy-Bernoulli-v0", "--agent", __file__, *sys.argv[1:]])
