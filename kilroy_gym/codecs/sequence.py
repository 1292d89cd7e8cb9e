"""Posts of tokens."""

import numpy as np
import numpy.typing as npt
from gymnasium.error import InvalidAction
from gymnasium.spaces import MultiDiscrete

from kilroy_gym._checks import integer
from kilroy_gym.codecs.base import Codec, UnencodablePost, as_array, short
from kilroy_gym.interfaces import Action
from kilroy_gym.post import X

Tokens = tuple[int, ...]


class TokenCodec(Codec[X]):
    """Posts that are written token by token, as actions of all the tokens of a post.

    What follows a stop in an action is ignored.

    Attributes:
        vocabulary: Number of tokens; a token is an integer in [0, vocabulary).
        length: Most tokens in a post, the beginning included.
        beginning: The tokens that every post begins with; they are no part of an action.
        stop: The token that ends a post.
    """

    space: MultiDiscrete
    vocabulary: int
    length: int
    beginning: Tokens
    stop: int

    @property
    def steps(self) -> int:
        """The most tokens that are chosen for a post: the size of an action."""
        return self.length - len(self.beginning)

    def check_actions(self, actions: Action) -> npt.NDArray[np.int64]:
        """Returns a batch of actions as an int64 array of shape ``(n, steps)``."""
        array = as_array(actions)
        if array.ndim != 2 or array.shape[1] != self.steps or array.dtype.kind not in "iu":
            raise InvalidAction(
                f"an action must be an array of {self.steps} integers, got {short(actions)}"
            )
        inside = ((array >= 0) & (array < self.vocabulary)).all(axis=1)
        if not inside.all():
            raise InvalidAction(
                f"action {array[~inside][0].tolist()} is not in {self.space}: its tokens must be "
                f"from 0 to {self.vocabulary - 1}"
            )
        return array.astype(np.int64, copy=False)

    def _until_stop(self, action: Action, with_stop: bool) -> list[int]:
        """Returns the tokens of an action up to the first stop."""
        tokens: list[int] = self.check_action(action).tolist()
        end = tokens.index(self.stop) + with_stop if self.stop in tokens else len(tokens)
        return tokens[:end]

    def _filled(self, tokens: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Returns the action that begins with these tokens, filled with stops."""
        action = np.full(self.steps, self.stop, np.int64)
        action[: np.size(tokens)] = tokens
        return action


class SequenceCodec(TokenCodec[Tokens]):
    """Token sequences; an action is the tokens after the first.

    A post is a tuple of tokens. It begins with ``start`` and ends at the first ``stop``, or after
    ``length`` tokens. Tokens of an action after a stop are ignored; ``encode`` fills up with stops.

    Args:
        vocabulary: Number of tokens; a token is an integer in [0, vocabulary).
        length: Largest number of tokens in a post, including the start, at least 2.
        start: The token that every post begins with.
        stop: The token that ends a post.

    Raises:
        ValueError: A number is out of its range, or start and stop are the same.

    Example:
        >>> codec = SequenceCodec(vocabulary=10, length=5, start=1, stop=2)
        >>> codec.decode([9, 0, 2, 7])
        (1, 9, 0, 2)
        >>> codec.encode((1, 9, 0, 2))
        array([9, 0, 2, 2])
    """

    def __init__(self, vocabulary: int, length: int, start: int, stop: int) -> None:
        """Checks the numbers."""
        self.vocabulary = integer("vocabulary", vocabulary, 2)
        self.length = integer("length", length, 2)
        self.start = integer("start", start, 0, self.vocabulary - 1)
        self.stop = integer("stop", stop, 0, self.vocabulary - 1)
        if start == stop:
            raise ValueError(f"start and stop must be two different tokens, got {start!r} twice")
        self.beginning = (self.start,)
        self.space = MultiDiscrete([vocabulary] * (length - 1))

    def encode(self, x: Tokens) -> npt.NDArray[np.int64]:
        """Returns the tokens after the start, stops as padding: int64, shape ``(length - 1,)``."""
        tokens = as_array(x)
        fits = tokens.ndim == 1 and tokens.dtype.kind in "iu" and 2 <= tokens.size <= self.length
        if not (
            fits
            and tokens[0] == self.start
            and ((tokens >= 0) & (tokens < self.vocabulary)).all()
            and not (tokens[:-1] == self.stop).any()
            and (tokens.size == self.length or tokens[-1] == self.stop)
        ):
            raise UnencodablePost(
                f"SequenceCodec cannot encode {short(x)}; it must be a sequence of tokens from 0 "
                f"to {self.vocabulary - 1} that begins with {self.start} and ends with its only "
                f"{self.stop} or after {self.length} tokens"
            )
        return self._filled(tokens[1:])

    def decode(self, action: Action) -> Tokens:
        """Returns the start and the tokens up to the first stop, as a tuple of integers."""
        return (self.start, *self._until_stop(action, with_stop=True))

    def __repr__(self) -> str:
        """Shows the arguments."""
        return f"SequenceCodec({self.vocabulary}, {self.length}, {self.start}, {self.stop})"
