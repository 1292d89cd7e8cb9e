"""Posts that were made elsewhere, with their scores, from a file."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from itertools import islice
from math import isfinite, nan
from pathlib import Path
from typing import Never

from kilroy_gym.codecs.base import short
from kilroy_gym.faces.exports import check_file, rows_of
from kilroy_gym.interfaces import KilroyFace, ScorePending
from kilroy_gym.post import PostData

LoggedPost = tuple[int | str, PostData[str], float | None]


class LoggedFace(KilroyFace[str, int | str]):
    r"""An exported file of posts and their scores, to mimic; it cannot be posted to.

    The file is CSV with a header, or JSONL (one object per line), in UTF-8, gzipped or not. Its
    name ends in ``.csv``, ``.csv.gz``, ``.jsonl`` or ``.jsonl.gz``. ``scrap`` reads it as a stream,
    row by row, so it may be larger than memory (except for the ids of ``post_id``, which are kept
    in memory). A row that cannot be read is an error that says where it is.

    A row without a text is an empty post. A row without a score, or with an empty one, is a post
    whose score is not known. Texts are not changed. A codec decides which of them can be posts;
    :meth:`KilroyTrainer.fine_tune` skips and counts the others.

    Args:
        path: The file.
        text: The column with the text.
        score: The column with the score, or ``None`` if there is none.
        post_id: The column with the post's id; by default the id is the row's number, from 1.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file has another format, is empty, or lacks a column.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "posts.csv")
        ...     _ = path.write_text("caption,likes\nA dog at a desk,12\nTwo dogs,\n")
        ...     face = LoggedFace(path, text="caption", score="likes")
        ...     [(post_id, post.x, score) for post_id, post, score in face.scrap_scored()]
        [(1, 'A dog at a desk', 12.0), (2, 'Two dogs', None)]
    """

    def __init__(
        self,
        path: str | Path,
        text: str = "text",
        score: str | None = "score",
        post_id: str | None = None,
    ) -> None:
        """Reads only as much of the file as it takes to find the columns."""
        self.path = Path(path)
        self._text, self._score, self._post_id = text, score, post_id
        self._scores: dict[int | str, float | None] | None = None
        check_file(self.path)
        self._check_columns()

    def __repr__(self) -> str:
        """Names the file."""
        return f"LoggedFace({str(self.path)!r})"

    def scrap(self, limit: int | None = None) -> Iterator[tuple[int | str, PostData[str]]]:
        """Yields the posts with their ids, in the order of the file.

        Raises:
            ValueError: A row cannot be read; the message names it.
        """
        for post_id, post, _ in self.scrap_scored(limit):
            yield post_id, post

    def scrap_scored(self, limit: int | None = None) -> Iterator[LoggedPost]:
        """Yields what :meth:`scrap` does, with each score, or ``None`` if it is not known.

        Raises:
            ValueError: A row cannot be read; the message names it.
        """
        return islice(self._posts(), limit)

    def post(self, data: PostData[str]) -> Never:
        """Refuses every post.

        Raises:
            NotImplementedError: Always.
        """
        # Not PostRefused: a review would make that a score, and an agent would learn from it.
        raise NotImplementedError(
            f"{self.path} is a record of what was posted, and LoggedFace cannot post: use it for "
            "KilroyTrainer(face, module).fine_tune(), then train the module on a Face that posts"
        )

    def score(self, post_id: int | str) -> float:
        """Returns the score of a post in the file; the first call reads the file.

        Raises:
            ScorePending: Its score is not known.
            KeyError: There is no such post.
            ValueError: A row cannot be read; the message names it.
        """
        if self._scores is None:
            self._scores = {number: score for number, _, score in self._posts()}
        if post_id not in self._scores:
            what = "the number of a row, from 1" if self._post_id is None else repr(self._post_id)
            raise KeyError(f"no post {post_id!r} in {self.path}: an id is {what}")
        score = self._scores[post_id]
        if score is None:
            raise ScorePending(post_id)
        return score

    def _posts(self) -> Iterator[LoggedPost]:
        seen: set[int | str] = set()
        for number, (line, cells) in enumerate(rows_of(self.path), 1):
            try:
                post_id = number if self._post_id is None else self._id_of(cells)
                if post_id in seen:
                    raise ValueError(f"an earlier row has the same id, {post_id!r}")
                found = post_id, PostData(self._text_of(cells)), self._score_of(cells)
            except ValueError as error:
                raise ValueError(f"{self.path}, row {number} (line {line}): {error}") from None
            if self._post_id is not None:
                seen.add(post_id)
            yield found

    def _id_of(self, cells: Mapping[str, object]) -> int | str:
        post_id = cells.get(str(self._post_id))
        if isinstance(post_id, bool) or not isinstance(post_id, (int, str)) or post_id == "":
            raise ValueError(f"the id must be a text or an integer, got {short(post_id)}")
        return post_id

    def _text_of(self, cells: Mapping[str, object]) -> str:
        text = cells.get(self._text)
        if text is not None and not isinstance(text, str):
            raise ValueError(f"the text must be a string, got {short(text)}")
        return text or ""

    def _score_of(self, cells: Mapping[str, object]) -> float | None:
        value = None if self._score is None else cells.get(self._score)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        score = nan
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            with suppress(ValueError, OverflowError):
                score = float(value)
        if not isfinite(score):
            raise ValueError(
                f"the score must be a finite number, got {short(value)}: correct it, or leave it "
                "empty where it is not known"
            )
        return score

    def _check_columns(self) -> None:
        named = {"text": self._text, "score": self._score, "post_id": self._post_id}
        missing = {argument: name for argument, name in named.items() if name is not None}
        columns: dict[str, None] = {}
        for _, cells in rows_of(self.path):
            columns.update(dict.fromkeys(cells))
            missing = {argument: name for argument, name in missing.items() if name not in columns}
            if not missing:  # if any are, a later row of JSONL may have them
                return
        if not columns:
            raise ValueError(f"{self.path} has no posts: it is empty, or has only a header")
        argument, name = next(iter(missing.items()))
        near = get_close_matches(str(name), columns, n=1)
        hint = f" Did you mean {argument}={near[0]!r}?" if near else ""
        raise ValueError(
            f"{self.path} has no column {name!r}: it has {', '.join(map(repr, columns))}; name "
            f"one by {argument}=...{hint}"
        )
