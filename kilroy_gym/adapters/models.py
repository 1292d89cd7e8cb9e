"""Models of other libraries, recognised without importing them."""

from typing import Any


def model_as_agent(candidate: Any) -> object:
    """Returns a Stable-Baselines3 model as an agent, and anything else unchanged."""
    bases = type(candidate).__mro__
    if any(base.__module__ == "stable_baselines3.common.base_class" for base in bases):
        from kilroy_gym.adapters.sb3 import SB3Agent

        return SB3Agent(candidate)
    return candidate
