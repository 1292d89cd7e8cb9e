"""The model behind a simulated Face."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import Space
from gymnasium.spaces import Discrete

from kilroy_gym.codecs import Codec

# A plain tuple: a named one takes longer to make than the whole rest of a response.
Response = tuple[Any, Any, Any]
"""How an audience took a post, or a batch of them in the order in which they went out.

``(score, expected_score, best_score)``: what was earned, the mean of the distribution that it was
drawn from, and the best expected score that any post could have had then. Each is a number, for
a batch also a float64 array of shape ``(n,)``.
"""


class Audience(ABC):
    """Who likes what, with what noise, in array arithmetic.

    Posts come as actions of the audience's codec: one action or a batch, like the argument of a
    numpy ufunc. A batch must mean the same as its actions one after another, to the last bit:
    draw once for each post from ``rng``, or from children of it (``rng.spawn``) made in
    :meth:`restart`; and look transcendental functions up in a table, since numpy may compute
    one for an array by other instructions than for a single number.

    Attributes:
        codec: Between the audience's actions and posts.
        observation_space: What :meth:`observe` gives for one post.
    """

    codec: Codec[Any]
    observation_space: Space[Any] = Discrete(1)

    @abstractmethod
    def respond(self, actions: Any, rng: np.random.Generator) -> Response:
        """Takes one action or a batch, moves on in time, and responds."""

    @abstractmethod
    def community(self, count: int, rng: np.random.Generator) -> tuple[npt.NDArray[Any], Any]:
        """Returns what others post, as ``count`` actions, and what they observed.

        The second is an array of ``count`` observations, or ``None`` where nothing is observed.
        """

    def restart(self, rng: np.random.Generator) -> None:
        """Goes back to the start of time; ``rng`` draws what differs between two worlds."""

    def observe(self, count: int) -> npt.NDArray[Any]:
        """Returns what is observed before each of the next ``count`` posts: nothing, a 0."""
        return np.zeros(count, np.int64)

    def delay(self, score: float) -> int:
        """Returns how many later posts go out before the score of a post is known."""
        return 0
