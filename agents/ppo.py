"""PPO, tuned for few posts."""

# Found by `python benchmarks/tune.py ppo`, a random search of 40 trials of 6 runs of 1,000 posts
# on Kilroy-Bernoulli-v0, the best five judged again in 20 runs: posts_to_95 119, regret 26. The
# best had 112 and 129; the next 116 and 23, with clip_range 0.4 and ent_coef 0.01, and now and
# then a run that fell back at the end.

import sys

from stable_baselines3 import PPO

from kilroy_gym.adapters.sb3 import KilroyVecEnv, SB3Agent
from kilroy_gym.interfaces import AnyEnv


def make_agent(env: AnyEnv, seed: int | None = None) -> SB3Agent:
    """Returns the agent; it learns from about 10 posts at a time, whatever the number of slots."""
    slots = KilroyVecEnv(env).num_envs
    n_steps = max(1, round(10 / slots))
    return SB3Agent.of(
        PPO,
        env,
        seed,
        n_steps=n_steps,
        batch_size=n_steps * slots,
        n_epochs=10,
        learning_rate=0.003,
        ent_coef=0.003,
    )


if __name__ == "__main__":
    from kilroy_gym.cli import main

    main(["train", "Kilroy-Bernoulli-v0", "--agent", __file__, *sys.argv[1:]])
