"""Drafts that are kept before anybody gets them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kilroy_gym.live.checkpoint import Draft
from kilroy_gym.modules import KilroyModule
from kilroy_gym.post import PostData


class KeptModule(KilroyModule[Any, Any]):
    """A module whose drafts are on the disk before anybody gets them.

    Args:
        inner: The module.
        keep: Called with the drafts of a round.

    Attributes:
        inner: The module as it is now.
        again: The drafts of a round that was begun before; they are handed out once more.
    """

    def __init__(
        self, inner: KilroyModule[Any, Any], keep: Callable[[Sequence[Draft]], None]
    ) -> None:
        """Has no drafts to hand out again."""
        self.inner = inner
        self.uses_observation = inner.uses_observation
        self.codec = getattr(inner, "codec", None)  # says which posts it can mimic
        self.again: Sequence[Draft] = []
        self._keep = keep

    def generate(self) -> Draft:
        """Writes one post, which nobody sends."""
        return self.inner.generate()

    def generate_many(
        self, count: int, observations: Iterable[Any] | None = None
    ) -> Sequence[Draft]:
        """Writes the posts of a round."""
        drafts, self.again = self.again, []
        if not drafts:
            drafts = self.inner.generate_many(count, observations)
            self._keep(drafts)
        return drafts

    def mimic(self, posts: Sequence[PostData[Any]]) -> "KeptModule":
        """Lets the module mimic."""
        self.inner = self.inner.mimic(posts)
        return self

    def reinforce(self, scores: Mapping[Any, float]) -> "KeptModule":
        """Lets the module learn."""
        self.inner = self.inner.reinforce(scores)
        return self

    def forget(self, draft_ids: Iterable[Any]) -> None:
        """Lets the module forget."""
        self.inner.forget(draft_ids)

    def metrics(self) -> dict[str, float]:
        """Returns the module's figures."""
        return self.inner.metrics()
