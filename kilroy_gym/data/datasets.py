"""Datasets of scraped posts, cached in memory or on disk."""

import json
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Generic, overload

import numpy as np

from kilroy_gym._checks import integer
from kilroy_gym.post import AnyPost, PostData, X
from kilroy_gym.storage.packing import pack, unpack


class Dataset(Sequence[PostData[X]], ABC):
    """Posts to mimic, with ``len``, integer and slice indexing, and batches."""

    @abstractmethod
    def take(self, numbers: Sequence[int]) -> list[PostData[X]]:
        """Returns the posts at these positions, which must be in range."""

    @overload
    def __getitem__(self, index: int) -> PostData[X]: ...

    @overload
    def __getitem__(self, index: slice) -> list[PostData[X]]: ...

    def __getitem__(self, index: int | slice) -> PostData[X] | list[PostData[X]]:
        """Returns one post, or a list of them for a slice."""
        numbers = range(len(self))[index]  # raises IndexError as a list does
        if isinstance(numbers, range):
            return self.take(numbers)
        return self.take([numbers])[0]

    def batches(
        self, batch_size: int, rng: np.random.Generator | None = None
    ) -> Iterator[list[PostData[X]]]:
        """Yields all posts in batches, shuffled if ``rng`` is given; the last may be smaller.

        Raises:
            ValueError: ``batch_size`` is not an integer of at least 1.
        """
        starts = range(0, len(self), integer("batch_size", batch_size, 1))
        if rng is None:
            for start in starts:
                yield self[start : start + batch_size]
        else:
            order = rng.permutation(len(self)).tolist()
            for start in starts:
                yield self.take(order[start : start + batch_size])


class DatasetFactory(ABC, Generic[X]):
    """Makes a dataset of posts that exists for the duration of a ``with`` block."""

    @abstractmethod
    def create(self, posts: Iterable[PostData[X]]) -> AbstractContextManager[Dataset[X]]:
        """Reads ``posts`` and provides a dataset of them."""


class MemoryCachingDatasetFactory(DatasetFactory[X]):
    """Keeps the posts in memory.

    Example:
        >>> with MemoryCachingDatasetFactory().create([PostData(1), PostData(2)]) as dataset:
        ...     len(dataset), dataset[-1].x, [len(batch) for batch in dataset.batches(1)]
        (2, 2, [1, 1])
    """

    @contextmanager
    def create(self, posts: Iterable[PostData[X]]) -> Iterator[Dataset[X]]:
        """Reads ``posts`` into a list."""
        yield _MemoryDataset(list(posts))


class FileCachingDatasetFactory(DatasetFactory[X]):
    """Keeps the posts in a temporary file, for scrapes that are larger than memory.

    The scrape is read as a stream. Contents can be what JSON holds (numbers, text, ``None``, lists,
    dicts with text keys), tuples, bytes, numpy arrays and numpy numbers; they come back unchanged.
    The file is deleted when the ``with`` block ends, for whatever reason.

    Args:
        directory: Where to create the file; by default the system's directory for temporary files.
    """

    def __init__(self, directory: str | Path | None = None) -> None:
        """Remembers the directory."""
        self.directory = directory

    @contextmanager
    def create(self, posts: Iterable[PostData[X]]) -> Iterator[Dataset[X]]:
        """Reads ``posts`` into the file.

        Raises:
            TypeError: A post cannot be stored; the message names it.
        """
        with (
            tempfile.TemporaryDirectory(prefix="kilroy-", dir=self.directory) as directory,
            closing(sqlite3.connect(Path(directory) / "posts.sqlite")) as connection,
        ):
            # A cache need not be durable, and has a single writer.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("CREATE TABLE posts (number INTEGER PRIMARY KEY, post TEXT)")
            connection.executemany("INSERT INTO posts VALUES (?, ?)", _rows(posts))
            connection.commit()
            yield _FileDataset(connection)


class _MemoryDataset(Dataset[X]):
    def __init__(self, posts: list[PostData[X]]) -> None:
        self._posts = posts

    def __len__(self) -> int:
        return len(self._posts)

    def __getitem__(self, index: Any) -> Any:  # at once, as the list does it
        return self._posts[index]

    def batches(
        self, batch_size: int, rng: np.random.Generator | None = None
    ) -> Iterator[list[PostData[X]]]:
        if rng is not None:
            yield from super().batches(batch_size, rng)
            return
        posts = self._posts  # straight from the list: single posts are mimicked as fast
        for start in range(0, len(posts), integer("batch_size", batch_size, 1)):
            yield posts[start : start + batch_size]

    def take(self, numbers: Sequence[int]) -> list[PostData[X]]:
        return [self._posts[number] for number in numbers]


class _FileDataset(Dataset[X]):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        ((length,),) = connection.execute("SELECT COUNT(*) FROM posts")
        self._length = int(length)

    def __len__(self) -> int:
        return self._length

    def take(self, numbers: Sequence[int]) -> list[PostData[X]]:
        query = "SELECT post FROM posts WHERE number = ?"
        texts = (self._connection.execute(query, (number,)).fetchone()[0] for number in numbers)
        return [PostData(*(unpack(value) for value in json.loads(text))) for text in texts]


def _rows(posts: Iterable[AnyPost]) -> Iterator[tuple[int, str]]:
    for number, post in enumerate(posts):
        try:
            yield number, json.dumps([pack(post.x), pack(post.context)])
        except (TypeError, ValueError, RecursionError) as error:  # type; too long; circular
            raise TypeError(f"post number {number} cannot be cached in a file: {error}") from None
