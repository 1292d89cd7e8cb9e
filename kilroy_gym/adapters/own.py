"""The module that suits each registered environment."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym.adapters.environments import kilroy_env
from kilroy_gym.audiences.text import WORDS
from kilroy_gym.interfaces import AnyEnv, Observation
from kilroy_gym.modules import (
    BernoulliModule,
    ContextualModule,
    GaussianModule,
    GrowingModule,
    NgramModule,
    SequenceModule,
    ThompsonModule,
)
from kilroy_gym.modules.base import AnyModule


def time_features(observation: Observation) -> npt.NDArray[np.float64]:
    """Returns the features of hour and weekday for a linear model.

    Args:
        observation: Hour, from 0 to 23, and weekday, from 0 (Monday) to 6.

    Returns:
        float64 of shape ``(14,)``: a constant and the first three harmonics of the day, followed by
        the same seven for weekends, which are 0 on other days.
    """
    hour, weekday = observation
    angles = 2 * np.pi * hour / 24 * np.arange(1, 4)
    day = np.concatenate([[1.0], np.cos(angles), np.sin(angles)])
    return np.concatenate([day, day * (weekday >= 5)])


OWN_MODULES: dict[str, Callable[[Any, int | None], AnyModule]] = {
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
"""Makes the module of each environment, by name, from its codec and a seed."""


def module_for(env: AnyEnv, seed: int | None = None) -> AnyModule:
    """Returns a new module that suits a registered environment.

    Args:
        env: The environment.
        seed: Seed of the module.

    Raises:
        ValueError: ``env`` is not one of the registered environments.
    """
    spec = env.unwrapped.spec
    name = spec.name if spec else None
    spec_name = f"{spec.namespace}/{name}" if spec and spec.namespace else name
    if spec_name not in OWN_MODULES:
        raise ValueError(
            f"no module is known for {spec.id if spec else env}; there is one for each of "
            f"{sorted(OWN_MODULES)}; for others pass a module of your own"
        )
    return OWN_MODULES[spec_name](kilroy_env(env).codec, seed)
