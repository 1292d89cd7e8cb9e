"""Looks for settings of PPO, A2C and DQN that need few posts: how the roster was tuned.

A random search. A trial is one choice of settings; its figure is ``posts_to_95``, the first post
at which the moving average has come 95% of the way from uniform to best (``kilroy-gym compare``
reports the same), averaged over seeds, each once cold and once warm-started. The best few are
then judged again on seeds that no trial has seen, and only that second figure is believed. Where
two are equal the one with less regret wins.

    python benchmarks/tune.py ppo --env Kilroy-Bernoulli-v0 --trials 40 --seeds 3 --final-seeds 10
"""

import argparse
import warnings
from collections.abc import Iterable
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm

from kilroy_gym import KilroyTrainer
from kilroy_gym._progress import progress
from kilroy_gym.adapters.sb3 import SB3Agent
from kilroy_gym.comparison.measures import arrival
from kilroy_gym.comparison.uniform import uniform_levels

ALGORITHMS: dict[str, type[BaseAlgorithm]] = {"ppo": PPO, "a2c": A2C, "dqn": DQN}
NETS = [[], [16], [64, 64]]
RATES = [0.001, 0.003, 0.01, 0.03]
ENTROPIES = [0.0, 0.003, 0.01, 0.03]
SPACES: dict[str, dict[str, list[Any]]] = {
    "ppo": {
        "posts_per_update": [10, 20, 40, 80],
        "n_epochs": [3, 10, 20],
        "learning_rate": RATES,
        "ent_coef": ENTROPIES,
        "clip_range": [0.1, 0.2, 0.4],
        "net_arch": NETS,
    },
    "a2c": {
        "posts_per_update": [10, 20, 40],
        "learning_rate": RATES,
        "ent_coef": ENTROPIES,
        "normalize_advantage": [False, True],
        "use_rms_prop": [False, True],
        "net_arch": NETS,
    },
    "dqn": {
        "learning_rate": RATES,
        "learning_starts": [9, 19, 49],
        "gradient_steps": [1, 4, 10],
        "batch_size": [32, 64],
        "exploration_fraction": [0.05, 0.1, 0.3],
        "exploration_final_eps": [0.01, 0.02, 0.05],
        "net_arch": NETS,
    },
}
"""What is tried, by algorithm. ``posts_per_update`` is divided by the slots to give ``n_steps``."""

Settings = dict[str, Any]
Figures = tuple[float, float]


def main() -> None:
    """Searches and prints what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("algorithm", choices=sorted(ALGORITHMS))
    parser.add_argument("--env", default="Kilroy-Bernoulli-v0")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3, help="for each trial")
    parser.add_argument("--final-seeds", type=int, default=10, help="for the best five")
    parser.add_argument("--posts", type=int, default=1000, help="the budget of a run")
    parser.add_argument("--slots", type=int, default=10)
    given = parser.parse_args()
    warnings.filterwarnings("ignore", "You have specified a mini-batch size")
    judge = Judge(given.algorithm, given.env, given.posts, given.slots)
    rng = np.random.default_rng(0)
    trials = [drawn(SPACES[given.algorithm], rng) for _ in range(given.trials)]
    first = range(given.seeds)
    figures = [judge(each, first) for each in progress(trials, len(trials), "Trials", None)]
    best = sorted(range(len(trials)), key=lambda number: figures[number])[:5]
    last = range(given.seeds, given.seeds + given.final_seeds)
    finals = sorted(
        ((judge(trials[number], last), trials[number]) for number in best), key=first_of
    )
    print(f"{given.algorithm} on {given.env}, {given.trials} trials, {given.posts} posts a run")
    for (posts_to_95, regret), settings in finals:
        print(f"posts_to_95 {posts_to_95:6.0f}  regret {regret:8.1f}  {settings}")


class Judge:
    """Plays settings and says how many posts they need.

    Args:
        algorithm: A name in :data:`ALGORITHMS`.
        env_id: The environment.
        posts: The budget of a run.
        slots: Posts in a round.
    """

    def __init__(self, algorithm: str, env_id: str, posts: int, slots: int) -> None:
        """Remembers the task."""
        self.algorithm, self.env_id = ALGORITHMS[algorithm], env_id
        self.posts, self.slots = posts, slots

    def __call__(self, settings: Settings, seeds: Iterable[int]) -> Figures:
        """Returns the mean of ``posts_to_95`` and of the regret, over seeds, cold and warm."""
        runs = [self.run(settings, seed, warm) for seed in seeds for warm in (False, True)]
        posts_to_95, regret = np.mean(runs, axis=0)
        return float(posts_to_95), float(regret)

    def run(self, settings: Settings, seed: int, warm: bool) -> Figures:
        """Returns ``posts_to_95`` and the regret of one run."""
        env = gym.make_vec(self.env_id, num_envs=self.slots)
        agent = SB3Agent.of(self.algorithm, env, seed, **self.arguments(settings))
        trainer = KilroyTrainer(env, agent, seed=seed)
        if warm:
            trainer.fine_tune()
        expected: list[float] = []
        best: list[float] = []

        def note(played: Any) -> None:
            expected.extend(played.expected_scores)
            best.extend(played.best_scores)

        trainer.run(posts=self.posts, callback=note)
        uniform = uniform_levels(self.env_id, seed, len(best))
        if uniform is None:
            raise ValueError(f"{self.env_id} has no uniform level to start from")
        regret = float(np.sum(best) - np.sum(expected))
        return arrival(np.array(expected), uniform, np.array(best)) or self.posts, regret

    def arguments(self, settings: Settings) -> Settings:
        """Returns the algorithm's own arguments."""
        own = dict(settings)
        own["policy_kwargs"] = {"net_arch": list(own.pop("net_arch"))}
        if self.algorithm is DQN:
            return {**own, "train_freq": 1}
        own["n_steps"] = max(1, round(own.pop("posts_per_update") / self.slots))
        if self.algorithm is PPO:
            own["batch_size"] = own["n_steps"] * self.slots
        return own


def drawn(space: dict[str, list[Any]], rng: np.random.Generator) -> Settings:
    """Returns one choice of every setting."""
    return {name: choices[rng.integers(len(choices))] for name, choices in space.items()}


def first_of(result: tuple[Figures, Settings]) -> Figures:
    """Returns the figures of a result, to sort by."""
    return result[0]


if __name__ == "__main__":
    main()
