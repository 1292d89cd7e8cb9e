"""Plays one run of a comparison."""

import sys
import threading
import time
import warnings

import gymnasium as gym
from gymnasium.vector import VectorEnv

from kilroy_gym._seeding import seed_everything
from kilroy_gym.adapters import load_agent_file
from kilroy_gym.comparison.plan import Plan, PlannedRun
from kilroy_gym.comparison.results import Recorder, RunResult
from kilroy_gym.interfaces import Agent, MovesToEnv
from kilroy_gym.training import KilroyTrainer

_ONE_AT_A_TIME = threading.Lock()
"""A run seeds the global random streams of its process, so another thread must not draw."""


def play(plan: Plan, run: PlannedRun) -> RunResult:
    """Plays a run in this process and returns what it left.

    The global random streams of Python, numpy and torch are seeded with the seed of the run, so
    a process plays one run at a time. Warnings become the notes of the result.

    Args:
        plan: The settings.
        run: What to play.
    """
    recorder = Recorder(plan.posts)
    with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as caught:
        env, agent = _fresh(plan, run)
        trainer = KilroyTrainer(env, agent, seed=run.seed)
        start = time.perf_counter()
        if run.warm_start:
            trainer.fine_tune(progress_bar=False)
        trainer.run(posts=plan.posts, callback=recorder, progress_bar=False)
        wall_s = time.perf_counter() - start
        env.close()
    rollout = trainer.agent.rollout if isinstance(trainer.agent, MovesToEnv) else ""
    notes = dict.fromkeys(str(warning.message) for warning in caught)
    return recorder.result(wall_s, rollout, notes)


def _fresh(plan: Plan, run: PlannedRun) -> tuple[VectorEnv, Agent]:
    """Makes the environment and the agent, with every global random stream seeded."""
    had_torch = "torch" in sys.modules
    seed_everything(run.seed)
    env = gym.make_vec(plan.env_id, num_envs=plan.update_rate)
    agent = load_agent_file(run.agent.path)(env, run.seed)
    if not had_torch and "torch" in sys.modules:
        return _fresh(plan, run)  # the agent imported torch, which was not seeded yet
    return env, agent
