"""The floor: posts at random and learns nothing."""

import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import count
from typing import Any

from kilroy_gym import KilroyModule, ModuleAgent, PostData
from kilroy_gym.adapters import codec_of
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.interfaces import AnyEnv
from kilroy_gym.post import AnyPost


class UniformModule(KilroyModule[Any, int]):
    """Draws every action of the space with the same probability."""

    codec: AnyCodec

    def __init__(self, env: AnyEnv, seed: int | None) -> None:
        """Copies the space, so that the environment's random stream stays untouched."""
        self.codec = codec_of(env)
        self.space = deepcopy(self.codec.space)
        self.space.seed(seed)
        self.ids = count()

    def generate(self) -> tuple[int, AnyPost]:
        """Writes any post."""
        return next(self.ids), PostData(self.codec.decode(self.space.sample()))

    def mimic(self, posts: Sequence[AnyPost]) -> "UniformModule":
        """Learns nothing."""
        return self

    def reinforce(self, scores: Mapping[int, float]) -> "UniformModule":
        """Learns nothing."""
        return self


def make_agent(env: AnyEnv, seed: int | None = None) -> ModuleAgent[Any, int]:
    """Returns the agent; the environment needs a codec."""
    return ModuleAgent(UniformModule(env, seed), env)


if __name__ == "__main__":
    from kilroy_gym.cli import main

    main(["train", "Kilroy-Bernoulli-v0", "--agent", __file__, *sys.argv[1:]])
