"""The model behind a simulated Face."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kilroy_gym.codecs import Codec


class Response(NamedTuple):
    """How an audience took a post, or a batch of them in the order in which they went out.

    Attributes:
        score: What was earned; a number, or float64 of shape ``(n,)``.
        expected_score: The mean of the distribution that ``score`` was drawn from; likewise.
        best_score: The best expected score that any post could have had then; likewise.
    """

    score: Any
    expected_score: Any
    best_score: Any


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
