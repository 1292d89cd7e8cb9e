"""Posting with a journal: nothing is lost, and nothing is posted twice."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from kilroy_gym.clock import Clock
from kilroy_gym.codecs import UnencodablePost
from kilroy_gym.faces.wrappers.base import FaceWrapper, check_key_kept
from kilroy_gym.interfaces import (
    AnyFace,
    AnyId,
    PostRefused,
    ScoredPost,
    ScrapsScored,
    Simulated,
    find,
)
from kilroy_gym.post import AnyPost
from kilroy_gym.storage.entries import Entry, packed_post
from kilroy_gym.storage.journal import Journal


class PostInDoubt(RuntimeError):
    """A post may have been made, and it cannot be checked or safely repeated."""

    @classmethod
    def of(cls, entry: Entry, journal: Path, face: object) -> "PostInDoubt":
        """Returns the error for a post in a journal, with the lines that settle it."""
        return cls(
            f"post {entry.key} ({entry.post.x!r}) may have been made, and {type(face).__name__} is "
            "not idempotent, so it cannot be sent again: look whether it is there, and tell the "
            f"journal. `from kilroy_gym.faces import Journal; journal = Journal('{journal}')`, "
            f"then `journal.made({entry.key}, post_id)` with the platform's id, or "
            f"`journal.refused({entry.key}, 'reason')`"
        )


class JournaledFace(FaceWrapper):
    """Records every post and every score in an SQLite file.

    A post is durably in the file before it is sent. If sending fails or the process ends, it is
    sent again with the same key: by :meth:`settle`, or before the next post. If the Face inside is
    ``idempotent``, every post in the journal is thus made exactly once, including those for which
    ``post`` raised the platform's error: do not post them again. **Otherwise** a post whose answer
    was lost is not sent again. It stays in doubt for a person to check (``journal.in_doubt()``);
    the constructor warns of that. A post that the platform refuses (:class:`PostRefused`) is
    recorded as refused and never sent again.

    Only one process can use a journal at a time. Journaled posts cannot be undone, so this Face
    has no ``restart``. A simulated Face inside, which forgets everything when its process ends,
    first repeats the posts in the journal: with the same seed, its world is then the same.

    Args:
        face: The Face inside.
        path: The file; created if missing.
        author: Who posts, as recorded in the journal.
        clock: Tells the time in unix seconds.

    Attributes:
        journal: What was posted. After a restart, ``journal.pending()`` lists the posts that have
            no score yet.
        author: Who posts from now on.

    Raises:
        StorageError: The journal is in use, cannot be written, or is another kind of file. Later:
            the journal cannot be written, so nothing is sent.
        ValueError: The wrappers are in the wrong order, or the journal belongs to another
            simulated Face.
    """

    hides = frozenset({Simulated})
    passes_on = frozenset({ScrapsScored})
    passes_key = True

    def __init__(
        self,
        face: AnyFace,
        path: str | Path,
        author: str = "",
        clock: Clock | None = None,
    ) -> None:
        """Opens the journal; sends nothing."""
        super().__init__(face)
        check_key_kept(self)
        self.author = author
        self.journal = Journal(path, clock)
        try:
            self._check_face()
        except BaseException:  # whoever mends the mistake may open the same journal
            self.journal.close()
            raise

    def post(self, data: AnyPost) -> AnyId:
        """Journals a post, makes it, and returns its id.

        A post that is already in the journal, by its key or draft number, is not made again.

        Raises:
            TypeError: The post or its id cannot be stored.
            ValueError: The key is invalid, or belongs to another post.
            StorageError: The journal cannot be written.
            PostRefused: The platform refuses the post, or refused it before.
            PostInDoubt: The post may have been made before, and this Face is not idempotent.
        """
        entry = self.journal.entry_of(data)
        if entry is None:
            key = self.journal.intend(data, self.author)
            return self._send_in_turn(replace(data, key=key))
        if packed_post(entry.post) != packed_post(data):
            raise ValueError(
                f"key {entry.key} belongs to another post in the journal, {entry.post.x!r}"
            )
        if entry.refusal is not None:
            raise PostRefused(entry.refusal, key=entry.key)
        if entry.made_at is not None:
            return entry.post_id
        if not self.idempotent:
            raise PostInDoubt.of(entry, self.journal.path, self.face)
        return self._send_in_turn(entry.post)

    def score(self, post_id: AnyId) -> float:
        """Returns the score of a post and journals it, or raises :class:`ScorePending`."""
        score = self.face.score(post_id)
        self.journal.scored(post_id, score)
        return score

    def score_many(self, post_ids: Iterable[AnyId]) -> Iterable[tuple[AnyId, float]]:
        """Yields the known scores, each after journaling it."""
        for post_id, score in self.face.score_many(post_ids):
            self.journal.scored(post_id, score)
            yield post_id, score

    def settle(self) -> list[Entry]:
        """Sends posts in doubt again, oldest first.

        An error ends it; the next call sends the rest. To give up a post at which the platform
        always fails, call ``journal.refused(key, reason)``.

        Returns:
            The journal's entries of these posts, as they are now; none unless the Face inside is
            ``idempotent``.
        """
        settled = (self.journal.find(key) for key in self._settle())
        return [entry for entry in settled if entry is not None]

    def refuse(self, data: AnyPost, refusal: str, score: float) -> int:
        """Journals a post that is not sent, with its score.

        Args:
            data: The post. If its key is in the journal already, that entry is completed.
            refusal: Why it is not sent.
            score: Its score.

        Returns:
            Its key.
        """
        if data.key is not None and self.journal.find(data.key) is not None:
            self.journal.refused(data.key, refusal, score)
            return data.key
        return self.journal.intend(data, self.author, refusal, score)

    def close(self) -> None:
        """Closes the journal, for another process to use, and the Face inside."""
        self.journal.close()
        super().close()

    def _check_face(self) -> None:
        """Warns of a Face that is not idempotent; lets a simulated one catch up."""
        if not self.idempotent:
            warnings.warn(
                f"{type(self.face).__name__} is not idempotent, so a post whose answer is lost "
                "cannot be sent again safely: it stays in doubt in the journal",
                stacklevel=3,
            )
        elif find(self.face, Simulated) is not None:
            self._make_again()

    def _make_again(self) -> None:
        for entry in self.journal.entries():
            if entry.state != "made":
                continue
            post_id = self.face.post(entry.post)
            if post_id != entry.post_id:
                self.journal.close()
                raise ValueError(
                    f"{self.journal.path} is the journal of another simulated Face: its post "
                    f"{entry.post_id!r} is {post_id!r} here; give a new Face, or another path"
                )

    def scrap_scored(self, limit: int | None = None) -> Iterator[ScoredPost[Any]]:
        """Yields existing posts with their scores."""
        return self._inside(ScrapsScored).scrap_scored(limit)

    def _send_in_turn(self, data: AnyPost) -> AnyId:
        """Sends posts in doubt, then the given post, which is in the journal by now."""
        self._settle(but=data.key)
        return self._send(data)

    def _settle(self, but: int | None = None) -> list[int]:
        """Sends posts in doubt and returns their keys; leaves out the key ``but``."""
        doubts = self.journal.in_doubt() if self.idempotent else []
        for entry in doubts:
            if entry.key != but:
                with suppress(PostRefused, UnencodablePost):  # recorded in the journal
                    self._send(entry.post)
        return [entry.key for entry in doubts]

    def _send(self, data: AnyPost) -> AnyId:
        key = data.key
        if key is None:
            raise ValueError("a post must have its key from the journal before it is sent")
        try:
            post_id = self.face.post(data)
        except (PostRefused, UnencodablePost) as error:
            self.journal.refused(key, str(error))
            if isinstance(error, PostRefused):
                error.key = key
            raise
        self.journal.made(key, post_id)
        return post_id
