"""Real parts for the tests of wrappers."""

from collections.abc import Iterator
from typing import Any

from parts import ManualClock, WallFace

from kilroy_gym import PostData
from kilroy_gym.interfaces import PostRefused

TOKEN = "token-that-nobody-may-see"
START = 1_700_000_000.0
"""When the tests' clocks start, in unix seconds."""


def unix_clock(now: float = START) -> ManualClock:
    clock = ManualClock()
    clock.now = now
    return clock


class SettableClock(ManualClock):
    """A clock that somebody sets while time passes; ``off`` is by how much it is wrong."""

    off = 0.0

    def time(self) -> float:
        return START + self.now + self.off

    def monotonic(self) -> float:
        return self.now


class OnceFace(WallFace):
    """Makes a post with a key once, keeps a secret, and loses answers or refuses on request.

    Attributes:
        lose: How many of the next answers get lost after the post was made.
        refuse: Contents that it refuses.
        sent: The keys it was given, in order.
    """

    idempotent = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.token, self.lose, self.refuse = TOKEN, 0, ()
        self.sent: list[int] = []
        self._ids: dict[int, Any] = {}

    def post(self, data: PostData[Any]) -> Any:
        key = data.key
        if key is None:
            return super().post(data)
        self.sent.append(key)
        if data.x in self.refuse:
            raise PostRefused(f"{data.x!r} is not for this platform")
        if key not in self._ids:
            self._ids[key] = super().post(data)
        if self.lose > 0:
            self.lose -= 1
            raise ConnectionResetError("the answer got lost")
        return self._ids[key]

    def __repr__(self) -> str:
        return f"OnceFace({self.token})"


class ScoredFace(OnceFace):
    """Also knows the scores of the posts that it has to scrap, but for every third."""

    def scrap_scored(
        self, limit: int | None = None
    ) -> Iterator[tuple[Any, PostData[Any], float | None]]:
        for number, (post_id, post) in enumerate(self.scrap(limit)):
            yield post_id, post, None if number % 3 == 2 else number / 2


def contents(face: WallFace) -> list[Any]:
    return [post.x for post in face.posts]
