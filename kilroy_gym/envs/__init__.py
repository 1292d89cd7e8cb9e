"""Face -> Gymnasium: one post, one round, or one token per step."""

from kilroy_gym.clock import Clock, SystemClock
from kilroy_gym.envs.compose import ComposedEnv, ComposedVectorEnv
from kilroy_gym.envs.face_env import FaceEnv
from kilroy_gym.envs.face_vector_env import FaceVectorEnv
from kilroy_gym.envs.spaces import PostSpace
from kilroy_gym.envs.suite import SimulatedEnv, SimulatedVectorEnv

__all__ = [
    "Clock",
    "ComposedEnv",
    "ComposedVectorEnv",
    "FaceEnv",
    "FaceVectorEnv",
    "PostSpace",
    "SimulatedEnv",
    "SimulatedVectorEnv",
    "SystemClock",
]
