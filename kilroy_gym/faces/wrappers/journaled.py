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
    KilroyFace,
    PostRefused,
    ScoredPost,
    ScrapsScored,
    Simulated,
    find,
)
from kilroy_gym.post import PostData
from kilroy_gym.storage.journal import Entry, Journal, packed_post


class PostInDoubt(RuntimeError):
    """A post was perhaps made, and the platform offers no way to find out or to repeat it."""

    @classmethod
    def of(cls, entry: Entry, journal: Path, face: object) -> "PostInDoubt":
        """Returns the error for a post in a journal, with the lines that settle it."""
        return cls(
            f"post {entry.key} ({entry.post.x!r}) was perhaps made, and {type(face).__name__} is "
            "not idempotent, so nobody can make sure: look whether it is there, and tell the "
            f"journal, from kilroy_gym.faces import Journal; journal = Journal('{journal}'), by "
            f"journal.made({entry.key}, post_id) with the platform's id of it, or "
            f"journal.refused({entry.key}, 'reason')"
        )


class JournaledFace(FaceWrapper):
    """Writes every post and every score into an SQLite file.

    A post is in the file, durably, before it is sent. Whatever then fails or ends the process, it
    is sent again with the same key: by :meth:`settle`, or before the next post. Where the Face
    inside is ``idempotent``, every post in the journal is thus made exactly once, also one at which
    ``post`` raised the platform's error: do not post it again. **Elsewhere** a post whose answer
    was lost is not sent again, and stays in doubt for a person to look at
    (``journal.in_doubt()``); the constructor warns of that. A post that a platform
    refuses for good (:class:`PostRefused`) is kept as refused and never sent again.

    Only one process can use a journal at a time. Journaled posts have happened, so the Face is
    never a simulated one: it has no ``restart``. Where the one inside is simulated, which forgets
    all with its process, it is first given again what the journal says was made: with the same
    seed it is then where it was.

    Args:
        face: The Face inside.
        path: The file; it is made where it is not there.
        author: Who posts, as the journal has it.
        clock: Tells unix seconds.

    Attributes:
        journal: What was posted; ``journal.pending()`` are the posts to ask scores for after a
            restart.
        author: Who posts from now on.

    Raises:
        StorageError: The journal is in use, cannot be written, or is another kind of file;
            later, it cannot be written: then nothing is sent.
        ValueError: The wrappers are in the wrong order, or the journal is that of another
            simulated Face.
    """

    hides = frozenset({Simulated})
    passes_on = frozenset({ScrapsScored})
    passes_key = True

    def __init__(
        self,
        face: KilroyFace[Any, Any],
        path: str | Path,
        author: str = "",
        clock: Clock | None = None,
    ) -> None:
        """Opens the journal; sends nothing."""
        super().__init__(face)
        check_key_kept(self)
        self.author = author
        self.journal = Journal(path, clock)
        if not self.idempotent:
            warnings.warn(
                f"{type(face).__name__} is not idempotent, so a post whose answer is lost cannot "
                "be sent again safely: it stays in doubt in the journal",
                stacklevel=2,
            )
        elif find(face, Simulated) is not None:
            self._make_again()

    def post(self, data: PostData[Any]) -> Any:
        """Journals a post, makes it, and returns its id.

        A post that the journal has already, by its key or its draft number, is not made again.

        Raises:
            TypeError: It, or its id, holds what cannot be stored.
            ValueError: Its key is none, or that of another post.
            StorageError: The journal cannot be written.
            PostRefused: The platform will not have it, or would not have it before.
            PostInDoubt: It was perhaps made before, and nobody can find out here.
        """
        entry = self.journal.entry_of(data)
        if entry is None:
            key = self.journal.intend(data, self.author)
            return self._send_in_turn(replace(data, key=key))
        if packed_post(entry.post) != packed_post(data):
            raise ValueError(
                f"key {entry.key} is that of another post in the journal, {entry.post.x!r}"
            )
        if entry.refusal is not None:
            raise PostRefused(entry.refusal, key=entry.key)
        if entry.made_at is not None:
            return entry.post_id
        if not self.idempotent:
            raise PostInDoubt.of(entry, self.journal.path, self.face)
        return self._send_in_turn(entry.post)

    def score(self, post_id: Any) -> float:
        """Returns the score of a post and journals it, or raises :class:`ScorePending`."""
        score = self.face.score(post_id)
        self.journal.scored(post_id, score)
        return score

    def score_many(self, post_ids: Iterable[Any]) -> Iterable[tuple[Any, float]]:
        """Yields the scores that are known, each one journaled before."""
        for post_id, score in self.face.score_many(post_ids):
            self.journal.scored(post_id, score)
            yield post_id, score

    def settle(self) -> list[Entry]:
        """Sends again what was journaled and never answered, oldest first.

        An error ends it, and what is left is sent by the next call. A post with which the platform
        always fails is given up by ``journal.refused(key, reason)``.

        Returns:
            What has become of it; nothing where the Face inside is not ``idempotent``.
        """
        settled = (self.journal.find(key) for key in self._settle())
        return [entry for entry in settled if entry is not None]

    def refuse(self, data: PostData[Any], refusal: str, score: float) -> int:
        """Journals a post that is not sent, with the score that it has for that.

        Args:
            data: The post; where the journal has its key already, that entry is completed.
            refusal: Why it is not sent.
            score: Its score.

        Returns:
            Its key.
        """
        if data.key is not None and self.journal.find(data.key) is not None:
            self.journal.refused(data.key, refusal, score)
            return data.key
        return self.journal.intend(data, self.author, refusal, score)

    def entry_of(self, data: PostData[Any]) -> Entry | None:
        """Returns what the journal has of a post, by its key or its draft number."""
        return self.journal.entry_of(data)

    def close(self) -> None:
        """Closes the journal, so that another process can use it, and what is inside."""
        self.journal.close()
        super().close()

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

    def _send_in_turn(self, data: PostData[Any]) -> Any:
        """Sends what is in doubt, and then a post that the journal has by now."""
        self._settle(but=data.key)
        return self._send(data)

    def _settle(self, but: int | None = None) -> list[int]:
        """Sends what is in doubt and returns the keys of that."""
        doubts = self.journal.in_doubt() if self.idempotent else []
        for entry in doubts:
            if entry.key != but:
                with suppress(PostRefused, UnencodablePost):  # the journal has it
                    self._send(entry.post)
        return [entry.key for entry in doubts]

    def _send(self, data: PostData[Any]) -> Any:
        key = data.key
        if key is None:
            raise ValueError("a post is sent under the key that the journal has for it")
        try:
            post_id = self.face.post(data)
        except (PostRefused, UnencodablePost) as error:
            self.journal.refused(key, str(error))
            if isinstance(error, PostRefused):
                error.key = key
            raise
        self.journal.made(key, post_id)
        return post_id
