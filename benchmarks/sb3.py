"""How fast a Stable-Baselines3 model steps and trains on a round a step, against its own way.

The reference is Stable-Baselines3's ``make_vec_env``: one environment a slot in a DummyVecEnv,
each with a Monitor. Both run in turns, in this one run, and both build every info.

    python benchmarks/sb3.py --slots 64
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

import kilroy_gym
from kilroy_gym.adapters.sb3 import KilroyVecEnv

TURNS = 5


def main() -> None:
    """Prints posts a second, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="Kilroy-Bernoulli-v0")
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--steps", type=int, default=500, help="rounds in a turn of stepping")
    parser.add_argument("--updates", type=int, default=5, help="updates in a turn of training")
    given = parser.parse_args()
    print(f"{given.env}, {given.slots} slots, kilroy-gym {kilroy_gym.__version__}")
    print(f"{'posts a second':<16}{'KilroyVecEnv':>14}{'make_vec_env':>14}{'ratio':>8}")
    envs: list[Callable[[], VecEnv]] = [
        partial(make_native, given.env, given.slots),
        partial(make_vec_env, given.env, n_envs=given.slots),
    ]
    report("stepping", given.slots * given.steps, [partial(step, given.steps, e()) for e in envs])
    for algorithm in (A2C, PPO):
        n_steps = 8 if algorithm is A2C else 64
        posts = given.slots * n_steps * given.updates
        models = [algorithm("MlpPolicy", e(), n_steps=n_steps, device="cpu") for e in envs]
        report(f"{algorithm.__name__} training", posts, [partial(learn, posts, m) for m in models])


def make_native(env_id: str, slots: int) -> KilroyVecEnv:
    """Returns the environment of one round a step."""
    return KilroyVecEnv(gym.make_vec(env_id, num_envs=slots))


def step(steps: int, vec_env: VecEnv) -> None:
    """Steps with actions that are drawn beforehand."""
    vec_env.seed(0)
    vec_env.reset()
    vec_env.action_space.seed(0)
    actions = np.array([vec_env.action_space.sample() for _ in range(vec_env.num_envs)])
    for _ in range(steps):
        vec_env.step(actions)


def learn(posts: int, model: BaseAlgorithm) -> None:
    """Trains."""
    model.learn(posts)


def report(name: str, posts: int, works: list[Callable[[], Any]]) -> None:
    """Runs both in turns and prints the best of each."""
    seconds = np.empty((TURNS, len(works)))
    for turn in range(TURNS):
        for number, work in enumerate(works):
            start = time.perf_counter()
            work()
            seconds[turn, number] = time.perf_counter() - start
    ours, theirs = posts / seconds.min(axis=0)
    print(f"{name:<16}{ours:>14,.0f}{theirs:>14,.0f}{ours / theirs:>8.1f}")


if __name__ == "__main__":
    main()
