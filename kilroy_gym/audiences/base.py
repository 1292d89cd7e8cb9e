"""The model behind a simulated Face."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym.codecs import Codec

Response = tuple[Any, Any, Any]
"""How an audience took a post, or a batch of them in the order in which they went out.

``(score, expected_score, best_score)``: what was earned, the mean of the distribution that it was
drawn from, and the best expected score that any post could have had then. Each is a number, for
a batch also a float64 array of shape ``(n,)``.
"""
# A plain tuple: a named one takes longer to make than the whole rest of a response.


class Audience(ABC):
    """Who likes what, with what noise, in array arithmetic.

    Posts come as actions of the audience's codec: one action or a batch, like the argument of a
    numpy ufunc. A batch must mean the same as its actions one after another.

    Attributes:
        codec: Between the audience's actions and posts.
    """

    codec: Codec[Any]

    @abstractmethod
    def respond(self, actions: Any, rng: np.random.Generator) -> Response:
        """Takes one action or a batch, moves on in time, and responds."""

    @abstractmethod
    def community(self, count: int, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Returns what others post, as ``count`` actions."""

    def restart(self, rng: np.random.Generator) -> None:
        """Goes back to the start of time; ``rng`` draws what differs between two worlds."""
