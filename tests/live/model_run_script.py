"""One process of a run of a model: `python model_run_script.py PLATFORM DIRECTORY POSTS`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch._dynamo  # noqa: F401 (torch imports it with the first optimizer, which takes a second)
from platform_file import FilePlatform
from stable_baselines3 import PPO

from kilroy_gym import FaceVectorEnv
from kilroy_gym.adapters.sb3 import SB3Agent
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.live.model_run import LiveModelRun

if __name__ == "__main__":
    path, directory, posts = sys.argv[1], sys.argv[2], int(sys.argv[3])
    face = FilePlatform(path, delay=0)
    env = FaceVectorEnv(face, 10, CategoricalCodec(["cat", "dog", "duck"]))
    agent = SB3Agent.of(PPO, env, 0, n_steps=2, batch_size=20, learning_rate=0.01)
    run = LiveModelRun(face, agent, directory, post_rate=0.001)
    run.warm_start(epochs=2)
    run.run(posts)
