"""The entries of a journal, and how they are stored."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from kilroy_gym.interfaces import AnyId
from kilroy_gym.post import AnyPost, PostData
from kilroy_gym.storage.packing import pack, unpack

COLUMNS = (
    "number, key, draft, author, content, intended_at, post_id, made_at, refusal, score, scored_at,"
    " counted"
)


@dataclass(frozen=True)
class Entry:
    """A post in a journal. All times are unix seconds.

    Attributes:
        number: The post's number in the journal, from 1.
        key: The post's key: when it was first sent, in unix microseconds.
        author: Who posted it.
        post: The post: content, context, key and draft number.
        intended_at: When it was about to be sent.
        post_id: The platform's id; ``None`` if the post was not made, as far as is known.
        made_at: When the platform answered, or ``None``.
        refusal: Why it was not made and never will be, or ``None``.
        score: The latest score, or ``None``.
        scored_at: When that score became known, or ``None``.
        counted: Whether its author could learn from it.
    """

    number: int
    key: int
    author: str
    post: AnyPost
    intended_at: float
    post_id: AnyId
    made_at: float | None
    refusal: str | None
    score: float | None
    scored_at: float | None
    counted: bool

    @property
    def state(self) -> str:
        """``"made"``, ``"refused"`` or ``"in doubt"``: perhaps sent, but not answered."""
        if self.refusal is not None:
            return "refused"
        return "in doubt" if self.made_at is None else "made"


def packed_post(post: AnyPost) -> str:
    """Returns the content of a post as it is stored.

    Raises:
        TypeError: It holds what cannot be stored; the message lists what can.
    """
    try:
        return json.dumps([pack(post.x), pack(post.context)])
    except (TypeError, ValueError, RecursionError) as error:  # type; too long; circular
        raise TypeError(f"the post cannot be journaled and was not sent: {error}") from None


def select(connection: sqlite3.Connection, where: str, *args: object) -> Iterator[Entry]:
    """Yields the entries of a journal that match a condition, in order."""
    query = f"SELECT {COLUMNS} FROM posts WHERE {where} ORDER BY number"
    for number, key, draft, author, content, intended_at, post_id, *rest in connection.execute(
        query, args
    ):
        x, context = (unpack(value) for value in json.loads(content))
        post = PostData(x, context, key=key, draft=draft)
        identity = None if post_id is None else unpack(json.loads(post_id))
        rest[-1] = bool(rest[-1])  # SQLite has no booleans
        yield Entry(number, key, author, post, intended_at, identity, *rest)
