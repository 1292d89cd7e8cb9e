"""PPO with Stable-Baselines3's own settings, which are meant for millions of posts."""

import sys

from stable_baselines3 import PPO

from kilroy_gym.adapters.sb3 import SB3Agent
from kilroy_gym.interfaces import AnyEnv


def make_agent(env: AnyEnv, seed: int | None = None) -> SB3Agent:
    """Returns the agent; its first update takes 2,048 posts per slot."""
    return SB3Agent.of(PPO, env, seed)


if __name__ == "__main__":
    from kilroy_gym.cli import main

    main(["train", "Kilroy-Bernoulli-v0", "--agent", __file__, *sys.argv[1:]])
