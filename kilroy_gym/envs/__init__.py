"""Face -> Gymnasium: one post a step, or a round a step."""

from kilroy_gym.envs.clock import Clock, SystemClock
from kilroy_gym.envs.face_env import FaceEnv
from kilroy_gym.envs.face_vector_env import FaceVectorEnv
from kilroy_gym.envs.spaces import PostSpace
from kilroy_gym.envs.suite import SimulatedEnv, SimulatedVectorEnv

__all__ = [
    "Clock",
    "FaceEnv",
    "FaceVectorEnv",
    "PostSpace",
    "SimulatedEnv",
    "SimulatedVectorEnv",
    "SystemClock",
]
