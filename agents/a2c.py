"""A2C, tuned for few posts."""

import sys
from typing import Any

from stable_baselines3 import A2C

from kilroy_gym.adapters.sb3 import KilroyVecEnv, SB3Agent


def make_agent(env: Any, seed: int | None = None) -> SB3Agent:
    """Returns the agent; it learns from about 10 posts at a time, however many slots there are."""
    slots = KilroyVecEnv(env).num_envs
    return SB3Agent.of(
        A2C,
        env,
        seed,
        n_steps=max(1, round(10 / slots)),
        learning_rate=0.003,
        normalize_advantage=False,
    )


if __name__ == "__main__":
    from kilroy_gym.cli import main

    main(["train", "Kilroy-Bernoulli-v0", "--agent", __file__, *sys.argv[1:]])
