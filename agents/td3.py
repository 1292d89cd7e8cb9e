"""TD3 for continuous posts, with settings for few posts."""

# Settings by hand, not searched for: learning starts at the tenth post, with one gradient step
# per post.

import sys

from stable_baselines3 import TD3

from kilroy_gym.adapters.sb3 import SB3Agent
from kilroy_gym.interfaces import AnyEnv


def make_agent(env: AnyEnv, seed: int | None = None) -> SB3Agent:
    """Returns the agent; it plays numbers and vectors only."""
    return SB3Agent.of(
        TD3,
        env,
        seed,
        learning_starts=10,
        train_freq=1,
        gradient_steps=-1,
        learning_rate=0.003,
        batch_size=64,
        buffer_size=100_000,
        policy_kwargs={"net_arch": [32, 32]},
    )


if __name__ == "__main__":
    from kilroy_gym.cli import main

    main(["train", "Kilroy-Tone-v0", "--agent", __file__, *sys.argv[1:]])
