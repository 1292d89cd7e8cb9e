"""What a bot writes."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

X = TypeVar("X")


# Not frozen: a frozen dataclass takes 2.5 times as long to make, and one is made for every post.
@dataclass(slots=True)
class PostData(Generic[X]):
    """One piece of content, with all that belongs to it on its way to a platform.

    Who gives a post a key or a draft number puts it on a copy (``dataclasses.replace``), and who
    changes the content on the way does the same, so that both travel on.

    Attributes:
        x: The content: a bool, a number, a vector, a token sequence or text.
        context: What was observed when the post was written, or ``None``.
        key: The name of the post for a journal and for a platform that is idempotent: unix
            microseconds of the moment when it was first sent, from 0 to below 2**53. ``None``
            until then.
        draft: Its number among the drafts of a run that is journaled, from 0, or ``None``.

    Example:
        >>> PostData(True)
        PostData(x=True, context=None)
    """

    x: X
    context: Any = None
    key: int | None = field(default=None, repr=False, compare=False, kw_only=True)
    draft: int | None = field(default=None, repr=False, compare=False, kw_only=True)
