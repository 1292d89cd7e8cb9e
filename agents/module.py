"""The environment's own module: the generator that Kilroy would use there."""

import sys
from typing import Any

from kilroy_gym import ModuleAgent, module_for
from kilroy_gym.interfaces import AnyEnv


def make_agent(env: AnyEnv, seed: int | None = None) -> ModuleAgent[Any, Any]:
    """Returns the agent."""
    return ModuleAgent(module_for(env, seed), env)


if __name__ == "__main__":
    from kilroy_gym.cli import main

    main(["train", "Kilroy-Bernoulli-v0", "--agent", __file__, *sys.argv[1:]])
