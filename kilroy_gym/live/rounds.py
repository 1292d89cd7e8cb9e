"""Rounds whose posts have their keys before they are sent."""

from collections import deque
from typing import Any

from kilroy_gym.faces.wrappers.base import FaceWrapper
from kilroy_gym.faces.wrappers.journaled import JournaledFace
from kilroy_gym.interfaces import KilroyFace
from kilroy_gym.post import PostData


class PostInDoubt(RuntimeError):
    """A post was perhaps made, and the platform offers no way to find out or to repeat it."""


class RoundJournal(JournaledFace):
    """Takes the key of the next post from the round, where the wrappers around hand none on.

    Attributes:
        key: The key of the next post.
    """

    key = 0

    def post(self, data: PostData[Any]) -> Any:
        """Makes a post that is not in the journal yet, and returns the id of one that is."""
        entry = self.journal.find(self.key)
        if entry is not None and entry.state == "in doubt" and not hasattr(self, "post_once"):
            raise PostInDoubt(
                f"post {self.key} ({data.x!r}) was perhaps made, and {type(self.face).__name__} "
                "has no post_once to make sure: look whether it is there, and tell the journal, "
                f"from kilroy_gym.faces import Journal; journal = Journal('{self.journal.path}'), "
                f"by journal.made({self.key}, post_id) with the platform's id of it, or "
                f"journal.refused({self.key}, 'reason')"
            )
        return self._post_once(data, self.key)

    def refuse(
        self, data: PostData[Any], refusal: str, score: float, key: int | None = None
    ) -> int:
        """Journals a refused post under its key of the round."""
        return super().refuse(data, refusal, score, self.key if key is None else key)


class Rounds(FaceWrapper):
    """Gives the posts of a round the keys that the checkpoint has for them, in order.

    Args:
        face: The Face inside.
        journaled: The journal in it.

    Attributes:
        keys: Those of the posts to come.
    """

    def __init__(self, face: KilroyFace[Any, Any], journaled: RoundJournal) -> None:
        """Has no keys yet."""
        super().__init__(face)
        self.keys: deque[int] = deque()
        self._journaled = journaled

    def post(self, data: PostData[Any]) -> Any:
        """Makes the next post of the round, or returns its id where it was made before."""
        inside: Any = self.face
        self._journaled.key = key = self.keys.popleft()
        once = hasattr(inside, "post_once")
        return inside.post_once(data, key) if once else inside.post(data)
