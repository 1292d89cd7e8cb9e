"""What a bot writes."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

X = TypeVar("X")


# Not frozen: a frozen dataclass takes 2.5 times as long to make, and one is made for every post.
@dataclass(slots=True)
class PostData(Generic[X]):
    """One piece of content.

    Attributes:
        x: The content: a bool, a number, a vector, a token sequence or text.
        context: What was observed when the post was written, or ``None``.

    Example:
        >>> PostData(True)
        PostData(x=True, context=None)
    """

    x: X
    context: Any = None
