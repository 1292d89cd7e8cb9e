"""A Stable-Baselines3 model as an agent; needs the extra ``sb3``."""

try:
    import stable_baselines3  # noqa: F401
except ImportError as error:
    raise ImportError(
        "Stable-Baselines3 models need more packages: pip install 'kilroy-gym[sb3]'",
        name=error.name,
    ) from error

from kilroy_gym.adapters.sb3.agent import SB3Agent
from kilroy_gym.adapters.sb3.recipes import Recipe, register_cloning
from kilroy_gym.adapters.sb3.vec_env import KilroyVecEnv

__all__ = ["KilroyVecEnv", "Recipe", "SB3Agent", "register_cloning"]
