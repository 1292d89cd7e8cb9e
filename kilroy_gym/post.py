"""What a bot writes."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

X = TypeVar("X")


# Not frozen: a frozen dataclass takes 2.5 times as long to make, and every post makes one.
@dataclass(slots=True)
class PostData(Generic[X]):
    """One piece of content, with all that belongs to it on its way to a platform.

    To give a post a key or a draft number, or to change its content on the way, make a copy
    (``dataclasses.replace``), so that key and draft number travel on.

    Attributes:
        x: The content: a bool, a number, a vector, a token sequence or text.
        context: What was observed when the post was written, or ``None``.
        key: The post's name in a journal and on an idempotent platform: the moment of the first
            sending, in unix microseconds, from 0 to below 2**53. ``None`` until then.
        draft: Its number among the drafts of a journaled run, from 0, or ``None``.

    Example:
        >>> PostData(True)
        PostData(x=True, context=None)
    """

    x: X
    context: Any = None
    key: int | None = field(default=None, repr=False, compare=False, kw_only=True)
    draft: int | None = field(default=None, repr=False, compare=False, kw_only=True)


AnyPost = PostData[Any]
"""A post of whatever content."""
