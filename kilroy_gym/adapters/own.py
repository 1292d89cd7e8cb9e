"""Which module belongs to which environment."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
from gymnasium.vector import VectorEnv

from kilroy_gym.modules import BernoulliModule, KilroyModule

OWN_MODULES: dict[str, Callable[[Any, int | None], KilroyModule[Any, Any]]] = {
    "Kilroy-Bernoulli": lambda env, seed: BernoulliModule(seed=seed),
}
"""By the name of an environment: makes its module from the environment and a seed."""


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
    return OWN_MODULES[spec_name](env, seed)
