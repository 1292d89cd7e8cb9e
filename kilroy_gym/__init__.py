"""Kilroy: learning what to post, as a Gymnasium environment.

``import kilroy_gym`` registers the environments; then ``gym.make("Kilroy-Bernoulli-v0")`` works.
"""

from kilroy_gym.envs import FaceEnv, FaceVectorEnv
from kilroy_gym.envs.suite import register
from kilroy_gym.interfaces import FaceError, KilroyFace, ScorePending
from kilroy_gym.modules import KilroyModule
from kilroy_gym.post import PostData

register()

from kilroy_gym.adapters import ModuleAgent, module_for  # noqa: E402
from kilroy_gym.training import KilroyTrainer  # noqa: E402

__version__ = "0.1.0"

__all__ = [
    "FaceEnv",
    "FaceError",
    "FaceVectorEnv",
    "KilroyFace",
    "KilroyModule",
    "KilroyTrainer",
    "ModuleAgent",
    "PostData",
    "ScorePending",
    "module_for",
]
