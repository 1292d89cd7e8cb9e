"""DQN, tuned for few posts; for posts that can be counted."""

# Found by `python benchmarks/tune.py dqn`, a random search of 40 trials of 6 runs of 1,000 posts
# on Kilroy-Bernoulli-v0, the best five judged again in 20 runs: posts_to_95 132, regret 60. The
# best had 127 and 43 with half the exploration, which only an audience without noise forgives.

import sys

from stable_baselines3 import DQN

from kilroy_gym.adapters.sb3 import KilroyVecEnv, SB3Agent
from kilroy_gym.interfaces import AnyEnv


def make_agent(env: AnyEnv, seed: int | None = None) -> SB3Agent:
    """Returns the agent; it learns after about 10 posts, whatever the number of slots."""
    slots = KilroyVecEnv(env).num_envs
    return SB3Agent.of(
        DQN,
        env,
        seed,
        learning_rate=0.003,
        learning_starts=19,
        train_freq=max(1, round(10 / slots)),
        gradient_steps=4,
        batch_size=32,
        buffer_size=10_000,
        exploration_fraction=0.05,
        exploration_final_eps=0.02,
        target_update_interval=max(100, slots),
    )


if __name__ == "__main__":
    from kilroy_gym.cli import main

    main(["train", "Kilroy-Bernoulli-v0", "--agent", __file__, *sys.argv[1:]])
