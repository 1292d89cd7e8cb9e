"""What the environment and the trainer cost, against the least that the same work can cost.

Run it with `python benchmarks/core.py`; it needs nothing but the package.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from timing import best_times, report

from kilroy_gym import FaceEnv, KilroyFace, KilroyTrainer, PostData
from kilroy_gym.codecs import BinaryCodec
from kilroy_gym.modules import BernoulliModule

ENV = "Kilroy-Bernoulli-v0"
STEPS = 2000


class NotebookFace(KilroyFace[bool, int]):
    """The notebook's Face."""

    def __init__(self) -> None:
        """Starts with no posts."""
        self.posts: dict[int, PostData[bool]] = {}

    def scrap(self, limit: int | None = None) -> Iterator[tuple[int, PostData[bool]]]:
        """Yields every third post True."""
        yield from ((i, PostData(i % 3 == 0)) for i in range(limit or 100))

    def post(self, data: PostData[bool]) -> int:
        """Makes a post."""
        post_id = len(self.posts)
        self.posts[post_id] = data
        return post_id

    def score(self, post_id: int) -> float:
        """Scores True +1 and False -1."""
        return int(self.posts[post_id].x) * 2 - 1


class BarestBandit(gym.Env[Any, int]):
    """The least that a Gymnasium bandit of one-step episodes can do."""

    def __init__(self) -> None:
        """Makes the spaces."""
        self.observation_space: gym.Space[Any] = gym.spaces.Discrete(1)
        self.action_space: gym.Space[Any] = gym.spaces.Discrete(2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins an episode."""
        super().reset(seed=seed)
        return 0, {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Scores an action."""
        return 0, 2.0 * action - 1.0, True, False, {}


class TellingBandit(BarestBandit):
    """The same with what tools need: a fresh float32 vector, and three keys of info."""

    def __init__(self) -> None:
        """Makes the spaces."""
        super().__init__()
        self.observation_space = gym.spaces.Box(0, 1, (1,), np.float32)
        self.posts, self.seen = 0, np.ones(1, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins an episode."""
        super().reset(seed=seed)
        info = {"post_id": -1, "expected_score": 0.0, "best_score": 0.0}
        return self.seen.copy(), info

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Scores an action."""
        score = 2.0 * action - 1.0
        self.posts += 1
        info = {"post_id": self.posts, "expected_score": score, "best_score": 1.0}
        return self.seen.copy(), score, True, False, info


def notebook_env() -> FaceEnv[bool, int]:
    """Returns the generic environment of a Face that knows nothing of it."""
    return FaceEnv(NotebookFace(), BinaryCodec())


def notebook_job() -> None:
    """The notebook's job, by the trainer."""
    trainer = KilroyTrainer(NotebookFace(), BernoulliModule(seed=0))
    trainer.fine_tune(progress_bar=False).run(steps=100, post_rate=0, progress_bar=False)


def bare_loop() -> None:
    """The notebook's job, with nothing but Face and module."""
    face, module = NotebookFace(), BernoulliModule(seed=0)
    posts = [post for _, post in face.scrap()]
    for _ in range(100):
        for post in posts:
            module.mimic([post])
    for _ in range(100):
        made = {}
        for _ in range(10):
            draft_id, post = module.generate()
            made[draft_id] = face.post(post)
        module.reinforce({draft_id: face.score(post_id) for draft_id, post_id in made.items()})


def stepping(env: gym.Env[Any, Any]) -> Callable[[], None]:
    """Returns a job of many episodes."""

    def job() -> None:
        for _ in range(STEPS):
            env.step(1)
            env.reset()

    env.reset(seed=0)
    return job


def vector_jobs(slots: int, rounds: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """Returns rounds in the vector environment, and the arithmetic that they cannot avoid."""
    env = gym.make_vec(ENV, num_envs=slots)
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 2, slots)

    def play() -> None:
        for _ in range(rounds):
            env.step(actions)

    def arithmetic() -> None:
        first = 0
        for _ in range(rounds):
            if actions.min() < 0 or actions.max() > 1:
                raise ValueError
            scores = 2.0 * actions - 1.0
            # what a step has to return: observations, rewards, flags, ids, the truth
            np.ones((slots, 1), np.float32), np.zeros(slots, np.bool_), np.ones(slots, np.bool_)
            np.arange(first, first + slots), scores.copy(), np.full(slots, 1.0)
            first += slots

    return play, arithmetic


def import_cost_ms(repeats: int = 9) -> float:
    """Returns how many milliseconds `import kilroy_gym` takes after `import gymnasium`."""
    code = (
        "import time, gymnasium; start = time.perf_counter(); import kilroy_gym;"
        "print(time.perf_counter() - start)"
    )
    kept = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # the first run compiles
    command = [sys.executable, "-c", code]
    runs = (subprocess.check_output(command, env=kept) for _ in range(repeats))
    return min(float(run) for run in runs) * 1e3


def main() -> None:
    """Prints all ratios."""
    for kind in ("BarestBandit", "TellingBandit"):
        gym.register(f"{kind}-v0", entry_point=f"{__name__}:{kind}")
    gym.register("NotebookFace-v0", entry_point=f"{__name__}:notebook_env")
    ours, reference = best_times(notebook_job, bare_loop)
    report("the notebook's job / a bare loop", ours, reference, 1, "job", speed=False)

    ids = (ENV, "NotebookFace-v0", "BarestBandit-v0", "TellingBandit-v0")
    simulated, own, bare, telling = best_times(*(stepping(gym.make(env_id)) for env_id in ids))
    report("gym.make, the simulated Face / the barest bandit", simulated, bare, STEPS, "post")
    report("gym.make, the notebook's Face / the barest bandit", own, bare, STEPS, "post")
    report("gym.make, the simulated Face / a telling bandit", simulated, telling, STEPS, "post")
    alone = [stepping(gym.make(env_id).unwrapped) for env_id in ids]
    simulated, own, bare, telling = best_times(*alone)
    report("no wrapper, the simulated Face / the barest bandit", simulated, bare, STEPS, "post")
    report("no wrapper, the notebook's Face / the barest bandit", own, bare, STEPS, "post")
    report("no wrapper, the simulated Face / a telling bandit", simulated, telling, STEPS, "post")

    for slots, rounds in ((64, 500), (1024, 200), (65536, 10)):
        ours, reference = best_times(*vector_jobs(slots, rounds))
        name = f"a round of {slots:,} / its arithmetic"
        report(name, ours, reference, slots * rounds, "post")

    print(f"import kilroy_gym, after import gymnasium: {import_cost_ms():.0f} ms")


if __name__ == "__main__":
    main()
