"""Playing any environment, for the tests that go over all ids."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from kilroy_gym.envs.suite import AUDIENCES

every_id = pytest.mark.parametrize("env_id", AUDIENCES)
SAME_STEP = {"autoreset_mode": AutoresetMode.SAME_STEP}


def play(env, steps=20, seed=0):
    """Returns all that happens from a reset on; actions are the space's own samples."""
    return [env.reset(seed=seed), *play_on(env, steps, seed)]


def play_on(env, steps, seed):
    env.action_space.seed(seed)
    for _ in range(steps):
        happened = env.step(env.action_space.sample())
        yield happened
        if not isinstance(env, gym.vector.VectorEnv) and happened[2]:
            yield env.reset()


def finish(env):
    """Finishes a post in every slot with one step."""
    action = env.action_space.sample()
    inside = env.unwrapped
    return env.step(np.full_like(action, inside.codec.stop) if inside.composed else action)
