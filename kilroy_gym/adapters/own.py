"""Which module belongs to which environment."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from kilroy_gym.adapters.environments import kilroy_env
from kilroy_gym.audiences.text import WORDS
from kilroy_gym.modules import (
    BernoulliModule,
    ContextualModule,
    GaussianModule,
    GrowingModule,
    KilroyModule,
    NgramModule,
    SequenceModule,
    ThompsonModule,
)


def time_features(observation: Any) -> npt.NDArray[np.float64]:
    """Returns what a linear model needs of an hour and a weekday: three waves, twice.

    Args:
        observation: Hour from 0 to 23 and weekday from 0, a Monday, to 6.

    Returns:
        float64 of shape ``(14,)``: a constant and the first three harmonics of the day; again for
        weekends, 0 on other days.
    """
    hour, weekday = observation
    angles = 2 * np.pi * hour / 24 * np.arange(1, 4)
    day = np.concatenate([[1.0], np.cos(angles), np.sin(angles)])
    return np.concatenate([day, day * (weekday >= 5)])


OWN_MODULES: dict[str, Callable[[Any, int | None], KilroyModule[Any, Any]]] = {
    "Kilroy-Bernoulli": lambda codec, seed: BernoulliModule(seed=seed),
    "Kilroy-Topics": lambda codec, seed: ThompsonModule(
        codec.choices, prior=2.0, likelihood="gamma", seed=seed
    ),
    "Kilroy-Tone": lambda codec, seed: GaussianModule(codec.low, codec.high, seed=seed),
    "Kilroy-Timing": lambda codec, seed: ContextualModule(codec.choices, time_features, seed=seed),
    "Kilroy-Drift": lambda codec, seed: ThompsonModule(
        codec.choices, prior=0.1, discount=0.99, seed=seed
    ),
    "Kilroy-Growth": lambda codec, seed: GrowingModule(codec.choices, seed=seed),
    "Kilroy-Delayed": lambda codec, seed: ThompsonModule(codec.choices, seed=seed),
    "Kilroy-Zigzag": lambda codec, seed: SequenceModule(codec, seed=seed),
    "Kilroy-ZigzagSteps": lambda codec, seed: SequenceModule(codec, seed=seed),
    "Kilroy-Text": lambda codec, seed: NgramModule(codec, words=WORDS, seed=seed),
}
"""By the name of an environment: makes its module from its codec and a seed."""


def module_for(
    env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any], seed: int | None = None
) -> KilroyModule[Any, Any]:
    """Returns a new module of the kind that suits a registered environment.

    Args:
        env: The environment.
        seed: Seed of the module.

    Raises:
        ValueError: It is not one of the registered environments.
    """
    spec = env.unwrapped.spec
    name = spec.name if spec else None
    spec_name = f"{spec.namespace}/{name}" if spec and spec.namespace else name
    if spec_name not in OWN_MODULES:
        raise ValueError(
            f"no module is known for {spec.id if spec else env}; there is one for each of "
            f"{sorted(OWN_MODULES)}, for others hand in a module of your own"
        )
    return OWN_MODULES[spec_name](kilroy_env(env).codec, seed)
