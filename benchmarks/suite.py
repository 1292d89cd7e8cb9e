"""How fast every environment is, alone and in rounds, against references in the same run.

Run it with `python benchmarks/suite.py`; it needs nothing but the package.
"""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from core import STEPS
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from timing import best_times, report

from kilroy_gym.audiences import ToneAudience, TopicsAudience
from kilroy_gym.envs.suite import AUDIENCES

SLOTS, ROUNDS = 1024, 20
BANDIT = "BarestBandit-v0"
Actions = npt.NDArray[Any]
Scores = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]


def alone(env_id: str) -> Callable[[], None]:
    """Returns a job of many steps in one environment."""
    env = gym.make(env_id)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(STEPS)]
    if isinstance(env.action_space, Discrete):
        actions = [int(action) for action in actions]  # the bandit would pay for numpy's

    def job() -> None:
        for action in actions:
            if env.step(action)[2]:
                env.reset()

    return job


def rounds(env: VectorEnv[Any, Any, Any], count: int = ROUNDS) -> Callable[[], None]:
    """Returns a job of some rounds."""
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(count)]

    def job() -> None:
        for of_round in actions:
            env.step(of_round)

    return job


def separate(env_id: str) -> VectorEnv[Any, Any, Any]:
    """Returns Gymnasium's vector environment of as many environments."""
    same_step = {"autoreset_mode": AutoresetMode.SAME_STEP}
    return gym.make_vec(env_id, SLOTS, vectorization_mode="sync", vector_kwargs=same_step)


def bernoulli(rng: np.random.Generator) -> Callable[[Actions], Scores]:
    """Returns the least work that scores a round of posts: here, and in the two below."""

    def respond(actions: Actions) -> Scores:
        if actions.min() < 0 or actions.max() > 1:
            raise ValueError
        scores = 2.0 * actions - 1.0
        return scores, scores, 1.0

    return respond


def topics(rng: np.random.Generator) -> Callable[[Actions], Scores]:
    """Draws negative binomial counts."""
    audience = TopicsAudience()
    audience.restart(rng)
    means, best = audience.means, float(audience.means.max())
    chances = 1.5 / (1.5 + means)

    def respond(actions: Actions) -> Scores:
        if actions.min() < 0 or actions.max() > 9:
            raise ValueError
        return rng.negative_binomial(1.5, chances[actions]) * 1.0, means[actions], best

    return respond


def tone(rng: np.random.Generator) -> Callable[[Actions], Scores]:
    """Draws noise around a smooth function."""
    audience = ToneAudience()
    audience.restart(rng)
    best_tone = float(audience.best_tone[0])

    def respond(actions: Actions) -> Scores:
        if not ((actions >= -1) & (actions <= 1)).all():
            raise ValueError
        distances = (actions[:, 0].astype(np.float64) + 1) * 5 - best_tone
        expected = 1 / (1 + distances**2 / 4)
        return expected + 0.1 * rng.standard_normal(SLOTS), expected, 1.0

    return respond


def arithmetic(respond: Callable[[Actions], Scores], env_id: str) -> Callable[[], None]:
    """Returns rounds of nothing but the work on their arrays, and the arrays they return."""
    space = gym.make_vec(env_id, SLOTS).action_space
    space.seed(0)
    actions = [space.sample() for _ in range(ROUNDS)]

    def job() -> None:
        first = 0
        for of_round in actions:
            scores, expected, best = respond(of_round)
            np.ones((SLOTS, 1), np.float32), np.zeros(SLOTS, np.bool_), np.ones(SLOTS, np.bool_)
            np.arange(first, first + SLOTS), scores.copy(), expected.copy(), np.full(SLOTS, best)
            first += SLOTS

    return job


def main() -> None:
    """Prints all ratios."""
    gym.register(BANDIT, entry_point="core:BarestBandit")
    for env_id in AUDIENCES:
        ours, bandit = best_times(alone(env_id), alone(BANDIT))
        report(f"{env_id} / the barest bandit", ours, bandit, STEPS, "step")
    for env_id in AUDIENCES:
        jobs = rounds(gym.make_vec(env_id, SLOTS)), rounds(separate(env_id))
        ours, sync = best_times(*jobs, repeats=7)
        report(f"{env_id} / SyncVectorEnv", ours, sync, SLOTS * ROUNDS, "step")
    for env_id, least in {
        "Kilroy-Bernoulli-v0": bernoulli,
        "Kilroy-Topics-v0": topics,
        "Kilroy-Tone-v0": tone,
    }.items():
        bare = arithmetic(least(np.random.default_rng(0)), env_id)
        ours, reference = best_times(rounds(gym.make_vec(env_id, SLOTS)), bare, repeats=50)
        report(f"{env_id} / its arithmetic", ours, reference, SLOTS * ROUNDS, "step")


if __name__ == "__main__":
    main()
