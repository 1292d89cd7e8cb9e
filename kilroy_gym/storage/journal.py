"""What was meant to be posted, what was, and what it scored: on disk before it happens."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any

from kilroy_gym.clock import Clock, UnixClock
from kilroy_gym.post import PostData
from kilroy_gym.storage.keys import check_key, fresh_key
from kilroy_gym.storage.packing import pack, unpack
from kilroy_gym.storage.sqlite import Storage, StorageError

STORAGE = Storage(
    "journal",
    0x4B4C5259,  # "KLRY"
    (
        "CREATE TABLE IF NOT EXISTS posts (number INTEGER PRIMARY KEY, key INTEGER NOT NULL UNIQUE,"
        " draft INTEGER UNIQUE, author TEXT NOT NULL, content TEXT NOT NULL,"
        " intended_at REAL NOT NULL, post_id TEXT UNIQUE, made_at REAL, refusal TEXT,"
        " score REAL, scored_at REAL, counted INTEGER NOT NULL DEFAULT 1)",
        "CREATE INDEX IF NOT EXISTS doubts ON posts (number)"
        " WHERE made_at IS NULL AND refusal IS NULL",
    ),
)
COLUMNS = (
    "number, key, draft, author, content, intended_at, post_id, made_at, refusal, score, scored_at,"
    " counted"
)
IN_DOUBT = "made_at IS NULL AND refusal IS NULL"
PENDING = "made_at IS NOT NULL AND score IS NULL"


@dataclass(frozen=True)
class Entry:
    """A post in a journal. All times are unix seconds.

    Attributes:
        number: Counts the posts of a journal, from 1.
        key: The post's name: unix microseconds of when it was first sent.
        author: Who made it.
        post: Its content, what was observed when it was written, its key and its draft number.
        intended_at: When it was about to be sent.
        post_id: The platform's name for it; ``None`` where it was not made, as far as is known.
        made_at: When the platform had answered, or ``None``.
        refusal: Why it was not made and never will be, or ``None``.
        score: The latest score, or ``None``.
        scored_at: When that became known, or ``None``.
        counted: Whether who made it could learn from it.
    """

    number: int
    key: int
    author: str
    post: PostData[Any]
    intended_at: float
    post_id: Any
    made_at: float | None
    refusal: str | None
    score: float | None
    scored_at: float | None
    counted: bool

    @property
    def state(self) -> str:
        """``"made"``, ``"refused"`` or ``"in doubt"``: sent perhaps, and no answer came."""
        if self.refusal is not None:
            return "refused"
        return "in doubt" if self.made_at is None else "made"


class Journal:
    """The posts of one bot in an SQLite file; each change is durable when the method returns.

    While a journal is open nobody else can open the same one; all can :func:`read_journal`.
    Content and ids are stored as JSON (see :mod:`kilroy_gym.storage.packing`): nothing
    that is read from the file can run code.

    Args:
        path: The file; it is made where it is not there.
        clock: Tells unix seconds.

    Raises:
        StorageError: The file is in use, cannot be written, or is something else.
    """

    def __init__(self, path: str | Path, clock: Clock | None = None) -> None:
        """Opens and locks the file."""
        self.path = Path(path)
        self._clock = UnixClock() if clock is None else clock
        self._lock = STORAGE.lock(self.path)
        try:
            self._connection = STORAGE.open(self.path)
        except BaseException:
            self._lock.close()
            raise

    def intend(
        self,
        post: PostData[Any],
        author: str,
        refusal: str | None = None,
        score: float | None = None,
    ) -> int:
        """Writes down a post that is about to be sent, or one that was refused before.

        Args:
            post: The post; where it has no key it gets a new one, the time.
            author: Who makes it.
            refusal: Why it will not be sent, or ``None``.
            score: What the refused one scores.

        Returns:
            The key.

        Raises:
            TypeError: The post holds what cannot be stored; the message lists what can.
            StorageError: It cannot be written: then do not send it.
        """
        content = packed_post(post)
        key = fresh_key(self._clock, self._latest_between) if post.key is None else post.key
        now = self._clock.time()
        columns = "key, draft, author, content, intended_at, refusal, score, scored_at"
        scored_at = None if score is None else now
        values = (key, post.draft, author, content, now, refusal, score, scored_at)
        self._write(f"INSERT INTO posts ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)
        return key

    def made(self, key: int, post_id: Any) -> None:
        """Writes down that the platform has made a post.

        Raises:
            TypeError: The id cannot be stored; the message lists what can.
            ValueError: An earlier post has that id.
        """
        try:
            packed = json.dumps(pack(post_id))
        except TypeError as error:
            raise TypeError(f"a post was made, but its id cannot be journaled: {error}") from None
        try:
            update = "UPDATE posts SET post_id = ?, made_at = ? WHERE key = ?"
            self._write(update, packed, self._clock.time(), key)
        except StorageError as error:
            if not isinstance(error.__cause__, sqlite3.IntegrityError):
                raise
            raise ValueError(f"the platform gave two posts the same id, {post_id!r}") from None

    def refused(self, key: int, refusal: str, score: float | None = None) -> None:
        """Writes down why a post was not made and never will be, and perhaps what that scores."""
        now = None if score is None else self._clock.time()
        update = "UPDATE posts SET refusal = ?, score = ?, scored_at = ? WHERE key = ?"
        self._write(update, refusal, score, now, key)

    def scored(self, post_id: Any, score: float) -> None:
        """Writes down the latest score of a post; of posts that are not its own it keeps none."""
        if isinstance(score, Real) and isfinite(score):  # else who asked refuses it
            update = "UPDATE posts SET score = ?, scored_at = ? WHERE post_id = ?"
            packed = json.dumps(pack(post_id))
            self._write(update, float(score), self._clock.time(), packed)

    def discount(self, but_first: int) -> int:
        """Marks posts as not counted, all but the first so many of those that still count.

        Returns:
            How many posts of the journal do not count now.
        """
        kept = "SELECT number FROM posts WHERE counted ORDER BY number LIMIT ?"
        self._write(f"UPDATE posts SET counted = 0 WHERE number NOT IN ({kept})", but_first)
        return self.count() - self.count(counted_only=True)

    def count(self, counted_only: bool = False) -> int:
        """Returns how many posts there are, whatever became of them."""
        where = "counted" if counted_only else "TRUE"
        count: int = self._value(f"SELECT COUNT(*) FROM posts WHERE {where}")
        return count

    def find(self, key: int) -> Entry | None:
        """Returns the post with a key, if there is one."""
        return next(self._entries("key = ?", key), None)

    def drafts(self, first: int) -> list[Entry]:
        """Returns the posts that drafts have become, those with numbers from ``first`` on."""
        return list(self._entries("draft >= ?", first))

    def entry_of(self, post: PostData[Any]) -> Entry | None:
        """Returns the entry of a post, found by its key, or by its draft number."""
        if post.key is not None:
            return self.find(check_key(post.key))
        return None if post.draft is None else next(self._entries("draft = ?", post.draft), None)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yields the posts with numbers above ``after``, in order."""
        return self._entries("number > ?", after)

    def in_doubt(self) -> list[Entry]:
        """Returns the posts that were perhaps sent, and to which no answer came."""
        return list(self._entries(IN_DOUBT))

    def pending(self) -> list[Entry]:
        """Returns the posts that were made and have no score."""
        return list(self._entries(PENDING))

    def close(self) -> None:
        """Closes the file and lets others open it."""
        self._connection.close()
        self._lock.close()

    def _entries(self, where: str, *args: Any) -> Iterator[Entry]:
        with STORAGE.explained(self.path):
            yield from _select(self._connection, where, *args)

    def _write(self, statement: str, *args: Any) -> None:
        with STORAGE.explained(self.path):
            self._connection.execute(statement, args)

    def _latest_between(self, low: int, high: int) -> int | None:
        query = "SELECT MAX(key) FROM posts WHERE key > ? AND key < ?"
        latest: int | None = self._value(query, low, high)
        return latest

    def _value(self, query: str, *args: Any) -> Any:
        with STORAGE.explained(self.path):
            return self._connection.execute(query, args).fetchone()[0]


def read_journal(path: str | Path) -> list[Entry]:
    """Returns the posts of a journal in order; another process may be writing it.

    Raises:
        StorageError: There is no journal at ``path``, or it cannot be read.
    """
    path = Path(path)
    with closing(STORAGE.open_to_read(path)) as connection, STORAGE.explained(path):
        tables = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0]
        return list(_select(connection, "TRUE")) if tables else []  # it is just being made


def packed_post(post: PostData[Any]) -> str:
    """Returns the content of a post as it is stored.

    Raises:
        TypeError: It holds what cannot be stored; the message lists what can.
    """
    try:
        return json.dumps([pack(post.x), pack(post.context)])
    except (TypeError, ValueError, RecursionError) as error:  # no such type; too long; endless
        raise TypeError(f"the post cannot be journaled and was not sent: {error}") from None


def _select(connection: sqlite3.Connection, where: str, *args: Any) -> Iterator[Entry]:
    query = f"SELECT {COLUMNS} FROM posts WHERE {where} ORDER BY number"
    for number, key, draft, author, content, intended_at, post_id, *rest in connection.execute(
        query, args
    ):
        x, context = (unpack(value) for value in json.loads(content))
        post = PostData(x, context, key=key, draft=draft)
        identity = None if post_id is None else unpack(json.loads(post_id))
        rest[-1] = bool(rest[-1])  # SQLite has no truth values
        yield Entry(number, key, author, post, intended_at, identity, *rest)
