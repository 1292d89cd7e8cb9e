"""The action space of an environment without a codec."""

from typing import Any

import numpy as np
from gymnasium import Space

from kilroy_gym.post import AnyPost, PostData


class PostSpace(Space[PostData[Any]]):
    """Any post. Enough for modules; agents that need numbers need a codec."""

    def __init__(self, seed: int | np.random.Generator | None = None) -> None:
        """Takes a seed as every space does, though there is nothing to sample."""
        super().__init__(None, None, seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Posts are no arrays."""
        return False

    def contains(self, x: Any) -> bool:
        """Tells whether ``x`` is a post."""
        return isinstance(x, PostData)

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> AnyPost:
        """Cannot be done.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"posts cannot be made up at random: {self!r}")

    def __eq__(self, other: object) -> bool:
        """All post spaces are equal."""
        return isinstance(other, PostSpace)

    def __repr__(self) -> str:
        """Says what to do for agents that cannot play it."""
        return (
            "PostSpace(no codec: for an agent that needs numbers give the environment "
            "codec=BinaryCodec(), CategoricalCodec(choices) or BoxCodec(low, high))"
        )
