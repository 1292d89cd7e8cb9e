"""DQN, tuned for few posts."""

import sys
from typing import Any

from stable_baselines3 import DQN

from kilroy_gym.adapters.sb3 import SB3Agent


def make_agent(env: Any, seed: int | None = None) -> SB3Agent:
    """Returns the agent; it learns after every round, and needs one number a post."""
    return SB3Agent.of(
        DQN,
        env,
        seed,
        learning_rate=0.003,
        learning_starts=20,
        train_freq=1,
        gradient_steps=4,
        batch_size=32,
        buffer_size=10_000,
        target_update_interval=100,
        exploration_fraction=0.3,
        exploration_final_eps=0.02,
    )


if __name__ == "__main__":
    from kilroy_gym.cli import main

    main(["train", "Kilroy-Bernoulli-v0", "--agent", __file__, *sys.argv[1:]])
