"""The model behind a simulated Face."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Discrete

from kilroy_gym.codecs import TokenCodec
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.interfaces import Action, AnyArray

# A plain tuple: a named one takes longer to make than the whole rest of a response.
Response = tuple[Any, Any, Any]
"""How an audience responded to a post, or to a batch of posts in the order they went out.

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
        module: What suits its posts: the name ``package.module:function`` of a function from a
            codec of its posts and a seed to a new :class:`~kilroy_gym.modules.KilroyModule`.
            ``None`` where there is no such module.
    """

    codec: AnyCodec
    observation_space: Space[Any] = Discrete(1)
    module: str | None = None

    @property
    def tokens(self) -> TokenCodec[Any] | None:
        """Between posts and the tokens that they are composed of, ``None`` where they are not."""
        return self.codec if isinstance(self.codec, TokenCodec) else None

    @abstractmethod
    def respond(self, actions: Action, rng: np.random.Generator) -> Response:
        """Takes one action or a batch, moves on in time, and responds.

        Args:
            actions: One action of the codec, or a batch of shape ``(n, *codec.space.shape)``.
            rng: Where the noise comes from.

        Returns:
            ``(score, expected_score, best_score)``: what was earned, the mean of the distribution
            that it was drawn from, and the best expected score that any post could have had then.
            Each is a number, or for a batch a float64 array of shape ``(n,)``.
        """

    @abstractmethod
    def community(self, count: int, rng: np.random.Generator) -> tuple[AnyArray, Any]:
        """Returns what others post, and what they observed before.

        Returns:
            Actions of shape ``(count, *codec.space.shape)``, and observations of shape
            ``(count, *observation_space.shape)`` or ``None`` where nothing is observed.
        """

    def restart(self, rng: np.random.Generator) -> None:
        """Goes back to the first post of a new world; ``rng`` draws what differs between worlds."""

    def observe(self, count: int) -> AnyArray:
        """Returns what is observed before each of the next posts; by default nothing.

        Returns:
            An array of shape ``(count, *observation_space.shape)``; int64 zeros where there is
            nothing to observe.
        """
        return np.zeros(count, np.int64)

    def delay(self, score: float) -> int:
        """Returns how many later posts must go out before this score is known."""
        return 0
