"""Posting with a journal: nothing is lost, and nothing is posted twice."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from kilroy_gym.clock import Clock
from kilroy_gym.codecs import UnencodablePost
from kilroy_gym.faces.wrappers.base import FaceWrapper, ScoredPost, check_post_once_kept
from kilroy_gym.interfaces import KilroyFace, PostRefused, Simulated
from kilroy_gym.post import PostData
from kilroy_gym.storage.journal import Entry, Journal, packed_post
from kilroy_gym.storage.keys import check_key


class JournaledFace(FaceWrapper):
    """Writes every post and every score into an SQLite file.

    A post is in the file, durably, before it is sent. Whatever then fails or ends the process, it
    is sent again with the same key: by :meth:`settle`, or before the next post. Where the Face
    inside has ``post_once``, every post in the journal is thus made exactly once, also one at which
    ``post`` raised the platform's error: do not post it again. **Without**
    ``post_once`` a post whose answer was lost is not sent again, and stays in doubt for a person
    to look at (``journal.in_doubt()``); the constructor warns of that. A post that a platform
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

    hides: ClassVar[frozenset[str]] = frozenset({"restart"})

    def __init__(
        self,
        face: KilroyFace[Any, Any],
        path: str | Path,
        author: str = "",
        clock: Clock | None = None,
    ) -> None:
        """Opens the journal; sends nothing."""
        super().__init__(face)
        check_post_once_kept(self)
        self.author = author
        self.journal = Journal(path, clock)
        if not hasattr(face, "post_once"):
            warnings.warn(
                f"{type(face).__name__} has no post_once, so a post whose answer is lost cannot be "
                "sent again safely: it stays in doubt in the journal",
                stacklevel=2,
            )
        if isinstance(face, Simulated) and hasattr(face, "post_once"):
            self._make_again(face.post_once)

    def post(self, data: PostData[Any]) -> Any:
        """Journals a post, makes it, and returns its id.

        Raises:
            TypeError: It, or its id, holds what cannot be stored.
            StorageError: The journal cannot be written.
            PostRefused: The platform will not have it.
        """
        return self._send_in_turn(data, self.journal.intend(data, self.author))

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
            What has become of it; nothing where the Face inside has no ``post_once``.
        """
        settled = (self.journal.find(key) for key in self._settle())
        return [entry for entry in settled if entry is not None]

    def refuse(
        self, data: PostData[Any], refusal: str, score: float, key: int | None = None
    ) -> int:
        """Journals a post that is not sent, with the score that it has for that; returns the key.

        Args:
            data: The post.
            refusal: Why it is not sent.
            score: Its score.
            key: Its key; where the journal has that already, its entry is completed.
        """
        if key is not None and self.journal.find(key) is not None:
            self.journal.refused(key, refusal, score)
            return key
        return self.journal.intend(data, self.author, key, refusal, score)

    def close(self) -> None:
        """Closes the journal, so that another process can use it, and what is inside."""
        self.journal.close()
        super().close()

    def _make_again(self, post_once: Callable[[PostData[Any], int], Any]) -> None:
        for entry in self.journal.entries():
            if entry.state != "made":
                continue
            post_id = post_once(entry.post, entry.key)
            if post_id != entry.post_id:
                self.journal.close()
                raise ValueError(
                    f"{self.journal.path} is the journal of another simulated Face: its post "
                    f"{entry.post_id!r} is {post_id!r} here; give a new Face, or another path"
                )

    def _scrap_scored(self, limit: int | None = None) -> Iterator[ScoredPost]:
        inside: Any = self.face
        found: Iterator[ScoredPost] = inside.scrap_scored(limit)
        return found

    def _post_once(self, data: PostData[Any], key: int) -> Any:
        """Makes a post whose key the caller chose.

        Raises:
            ValueError: The key is none, or it belongs to another post.
            PostRefused: The platform will not have it, or would not have it before.
        """
        entry = self.journal.find(check_key(key))
        if entry is None:
            self.journal.intend(data, self.author, key)
            return self._send_in_turn(data, key)
        if packed_post(entry.post) != packed_post(data):
            raise ValueError(f"key {key} is that of another post in the journal, {entry.post.x!r}")
        if entry.refusal is not None:
            raise PostRefused(entry.refusal, key=key)
        return self._send_in_turn(data, key) if entry.made_at is None else entry.post_id

    def _send_in_turn(self, data: PostData[Any], key: int) -> Any:
        """Sends what is in doubt, and then a post that the journal has by now."""
        self._settle(but=key)
        return self._send(data, key)

    def _settle(self, but: int | None = None) -> list[int]:
        """Sends what is in doubt and returns the keys of that."""
        doubts = self.journal.in_doubt() if hasattr(self, "post_once") else []
        for entry in doubts:
            if entry.key != but:
                with suppress(PostRefused, UnencodablePost):  # the journal has it
                    self._send(entry.post, entry.key)
        return [entry.key for entry in doubts]

    def _send(self, data: PostData[Any], key: int) -> Any:
        inside: Any = self.face
        try:
            once = hasattr(inside, "post_once")
            post_id = inside.post_once(data, key) if once else inside.post(data)
        except (PostRefused, UnencodablePost) as error:
            self.journal.refused(key, str(error))
            if isinstance(error, PostRefused):
                error.key = key
            raise
        self.journal.made(key, post_id)
        return post_id
