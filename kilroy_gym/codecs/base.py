"""What a codec must do."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Generic

import numpy as np
from gymnasium import Space

from kilroy_gym.interfaces import Action, AnyArray
from kilroy_gym.post import X


class UnencodablePost(ValueError):
    """A post has content that the codec of the environment has no action for."""


class Codec(ABC, Generic[X]):
    """Turns the content of posts into actions and back.

    Attributes:
        space: The action space.
    """

    space: Space[Any]

    @abstractmethod
    def encode(self, x: X) -> Action:
        """Returns the action that stands for ``x``.

        Raises:
            UnencodablePost: There is none; the message says what is allowed.
        """

    @abstractmethod
    def decode(self, action: Action) -> X:
        """Returns the content that ``action`` stands for.

        Raises:
            gymnasium.error.InvalidAction: It is not in the action space.
        """

    @abstractmethod
    def check_actions(self, actions: Action) -> AnyArray:
        """Returns a batch of actions as an array of shape ``(n, *space.shape)``.

        Raises:
            gymnasium.error.InvalidAction: One of them is not in the action space.
        """

    def check_action(self, action: Action) -> Action:
        """Returns one action as :meth:`check_actions` does a batch.

        Raises:
            gymnasium.error.InvalidAction: It is not in the action space.
        """
        return self.check_actions(as_array(action)[None])[0]

    def encode_many(self, xs: Iterable[X]) -> AnyArray:
        """Returns the actions for ``xs``: an array of shape ``(n, *space.shape)``."""
        actions = np.array([self.encode(x) for x in xs], dtype=self.space.dtype)
        return actions.reshape(-1, *(self.space.shape or ()))  # where there are none, too

    def decode_many(self, actions: Action) -> list[X]:
        """Returns the contents that a batch of actions stands for."""
        return [self.decode(action) for action in self.check_actions(actions)]


AnyCodec = Codec[Any]


def as_array(values: object) -> AnyArray:
    """Returns an array, of objects where ``values`` are no rectangle of one type."""
    try:
        return np.asarray(values)
    except ValueError:
        return np.asarray(None)


def short(value: object, limit: int = 200) -> str:
    """Shows a value in an error message without flooding it."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
