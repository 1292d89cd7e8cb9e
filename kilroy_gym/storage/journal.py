"""A journal of posts, their ids and scores; a post is on disk before it is sent."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any

from kilroy_gym.clock import Clock, UnixClock
from kilroy_gym.interfaces import AnyId
from kilroy_gym.post import AnyPost
from kilroy_gym.storage.entries import Entry, packed_post, select
from kilroy_gym.storage.keys import check_key, fresh_key
from kilroy_gym.storage.packing import pack
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
IN_DOUBT = "made_at IS NULL AND refusal IS NULL"
PENDING = "made_at IS NOT NULL AND score IS NULL"


class Journal:
    """The posts of one bot in an SQLite file; each change is durable when the method returns.

    Only one process can open a journal at a time; others can :func:`read_journal`. Content and ids
    are stored as JSON (see :mod:`kilroy_gym.storage.packing`), so reading the file cannot run code.

    Args:
        path: The file; created if missing.
        clock: Tells the time in unix seconds.

    Raises:
        StorageError: The file is in use, cannot be written, or is another kind of file.
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
        post: AnyPost,
        author: str,
        refusal: str | None = None,
        score: float | None = None,
    ) -> int:
        """Records a post that is about to be sent, or one that was refused.

        Args:
            post: The post; if it has no key, it gets a new one.
            author: Who posts it.
            refusal: Why it will not be sent, or ``None``.
            score: The score of a refused post.

        Returns:
            Its key.

        Raises:
            TypeError: The post holds what cannot be stored; the message lists what can.
            StorageError: It cannot be written. Do not send the post then.
        """
        content = packed_post(post)
        key = fresh_key(self._clock, self._latest_between) if post.key is None else post.key
        now = self._clock.time()
        columns = "key, draft, author, content, intended_at, refusal, score, scored_at"
        scored_at = None if score is None else now
        values = (key, post.draft, author, content, now, refusal, score, scored_at)
        self._write(f"INSERT INTO posts ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)
        return key

    def made(self, key: int, post_id: AnyId) -> None:
        """Records that the platform has made a post.

        Raises:
            TypeError: The id cannot be stored; the message lists what can.
            ValueError: An earlier post has the same id.
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
        """Records why a post was not made and never will be, and its score, if given."""
        now = None if score is None else self._clock.time()
        update = "UPDATE posts SET refusal = ?, score = ?, scored_at = ? WHERE key = ?"
        self._write(update, refusal, score, now, key)

    def scored(self, post_id: AnyId, score: float) -> None:
        """Records the latest score of a post; ignores posts that are not in the journal."""
        if isinstance(score, Real) and isfinite(score):  # anything else is refused by the caller
            update = "UPDATE posts SET score = ?, scored_at = ? WHERE post_id = ?"
            packed = json.dumps(pack(post_id))
            self._write(update, float(score), self._clock.time(), packed)

    def discount(self, but_first: int) -> int:
        """Marks posts as not counted, except the first ``but_first`` of those that still count.

        Returns:
            How many posts in the journal are not counted now.
        """
        kept = "SELECT number FROM posts WHERE counted ORDER BY number LIMIT ?"
        self._write(f"UPDATE posts SET counted = 0 WHERE number NOT IN ({kept})", but_first)
        return self.count() - self.count(counted_only=True)

    def count(self, counted_only: bool = False) -> int:
        """Returns the number of posts, refused and doubtful ones included."""
        where = "counted" if counted_only else "TRUE"
        count: int = self._value(f"SELECT COUNT(*) FROM posts WHERE {where}")
        return count

    def find(self, key: int) -> Entry | None:
        """Returns the entry with a key, or ``None``."""
        return next(self._entries("key = ?", key), None)

    def drafts(self, first: int) -> list[Entry]:
        """Returns the posts with draft numbers from ``first`` on."""
        return list(self._entries("draft >= ?", first))

    def entry_of(self, post: AnyPost) -> Entry | None:
        """Returns the entry of a post, found by its key, or else by its draft number."""
        if post.key is not None:
            return self.find(check_key(post.key))
        return None if post.draft is None else next(self._entries("draft = ?", post.draft), None)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yields the posts with numbers above ``after``, in order."""
        return self._entries("number > ?", after)

    def in_doubt(self) -> list[Entry]:
        """Returns the posts that may have been sent but were not answered."""
        return list(self._entries(IN_DOUBT))

    def pending(self) -> list[Entry]:
        """Returns the posts that were made and have no score yet."""
        return list(self._entries(PENDING))

    def close(self) -> None:
        """Closes the file, so that others can open it."""
        self._connection.close()
        self._lock.close()

    def _entries(self, where: str, *args: object) -> Iterator[Entry]:
        with STORAGE.explained(self.path):
            yield from select(self._connection, where, *args)

    def _write(self, statement: str, *args: object) -> None:
        with STORAGE.explained(self.path):
            self._connection.execute(statement, args)

    def _latest_between(self, low: int, high: int) -> int | None:
        query = "SELECT MAX(key) FROM posts WHERE key > ? AND key < ?"
        latest: int | None = self._value(query, low, high)
        return latest

    def _value(self, query: str, *args: object) -> Any:
        with STORAGE.explained(self.path):
            return self._connection.execute(query, args).fetchone()[0]


def read_journal(path: str | Path) -> list[Entry]:
    """Returns the posts of a journal in order; another process may be writing to it.

    Raises:
        StorageError: There is no journal at ``path``, or it cannot be read.
    """
    path = Path(path)
    with closing(STORAGE.open_to_read(path)) as connection, STORAGE.explained(path):
        tables = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0]
        return list(select(connection, "TRUE")) if tables else []  # it is just being created
