"""PPO, tuned for few posts."""

import sys
from typing import Any

from stable_baselines3 import PPO

from kilroy_gym.adapters.sb3 import KilroyVecEnv, SB3Agent


def make_agent(env: Any, seed: int | None = None) -> SB3Agent:
    """Returns the agent; it learns from about 20 posts at a time, however many slots there are."""
    slots = KilroyVecEnv(env).num_envs
    n_steps = max(1, round(20 / slots))
    return SB3Agent.of(
        PPO,
        env,
        seed,
        n_steps=max(n_steps, 2) if slots == 1 else n_steps,
        batch_size=slots * n_steps,
        n_epochs=10,
        learning_rate=0.003,
        ent_coef=0.0,
    )


if __name__ == "__main__":
    from kilroy_gym.cli import main

    main(["train", "Kilroy-Bernoulli-v0", "--agent", __file__, *sys.argv[1:]])
