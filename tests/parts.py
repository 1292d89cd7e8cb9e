"""Real parts that several tests need: a clock, Faces, an audience."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

import numpy as np

from kilroy_gym import KilroyFace, PostData, ScorePending
from kilroy_gym.audiences import Audience, Response
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.faces import SimulatedFace

ID_MAKERS: dict[str, Callable[[int], Any]] = {
    "int": lambda number: number,
    "str": lambda number: f"post/{number}",
    "tuple": lambda number: ("channel", number),
    "UUID": lambda number: UUID(int=number),
}
"""What Faces call their posts."""


class ManualClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


class WallFace(KilroyFace[Any, Any]):
    """Has the three original methods only, and keeps what is posted.

    Args:
        score_of: The score of what was posted.
        make_id: From the number of a post to its id.
        asks: How often the score of a post is pending, by its number.
        clock: Where the times of posting and of asking come from.
    """

    def __init__(
        self,
        score_of: Callable[[Any], Any] = float,
        make_id: Callable[[int], Any] = ID_MAKERS["int"],
        asks: Callable[[int], int] = lambda number: 0,
        clock: ManualClock | None = None,
    ) -> None:
        self.score_of, self.make_id, self.asks = score_of, make_id, asks
        self.clock = clock or ManualClock()
        self.posts: list[PostData[Any]] = []
        self.made_at: list[float] = []
        self.asked: list[tuple[Any, float]] = []
        self._wall: dict[Any, list[Any]] = {}

    def scrap(self, limit: int | None = None) -> Iterator[tuple[Any, PostData[Any]]]:
        for number in range(limit or 9):
            yield self.make_id(-1 - number), PostData(number % 3 == 0)

    def post(self, data: PostData[Any]) -> Any:
        post_id = self.make_id(len(self.posts))
        self._wall[post_id] = [data, self.asks(len(self.posts))]
        self.posts.append(data)
        self.made_at.append(self.clock.time())
        return post_id

    def score(self, post_id: Any) -> Any:
        self.asked.append((post_id, self.clock.time()))
        entry = self._wall[post_id]
        if entry[1] > 0:
            entry[1] -= 1
            raise ScorePending
        return self.score_of(entry[0].x)


class ListFace(KilroyFace[Any, int]):
    """Has the posts of a list, and keeps what is posted."""

    def __init__(self, posts: Iterable[PostData[Any]] = ()) -> None:
        self.existing = list(posts)
        self.posted: list[Any] = []

    def scrap(self, limit: int | None = None) -> Iterator[tuple[int, PostData[Any]]]:
        yield from enumerate(self.existing[:limit])

    def post(self, data: PostData[Any]) -> int:
        self.posted.append(data.x)
        return len(self.posted) - 1

    def score(self, post_id: int) -> float:
        return float(self.posted[post_id])


class MoodyAudience(Audience):
    """Has noise, a mood that moves with every post, and a random beginning."""

    def __init__(self) -> None:
        self.codec = CategoricalCodec(["cats", "dogs", "news"])

    def restart(self, rng: np.random.Generator) -> None:
        self.mood, self.posts = rng.random(), 0

    def respond(self, actions: Any, rng: np.random.Generator) -> Response:
        actions = np.asarray(actions)
        numbers = self.posts + np.arange(actions.size).reshape(actions.shape)
        # No np.sin: over a batch it may differ from the single one in the last bit.
        moods = (self.mood + 0.37 * numbers) % 2 - 1
        self.posts += actions.size
        expected = actions * moods
        return (expected + rng.standard_normal(actions.shape), expected, np.maximum(0, 2 * moods))

    def community(self, count: int, rng: np.random.Generator) -> Any:
        return rng.integers(0, 3, count), None


def moody_face(seed: int = 0) -> SimulatedFace:
    """Returns a simulated Face with that audience."""
    return SimulatedFace(MoodyAudience(), seed)


class Delayed(SimulatedFace):
    """A simulated Face whose scores are pending when they are asked for the first time."""

    def restart(self, rng: np.random.Generator) -> None:
        self.asked: set[int] = set()
        super().restart(rng)

    def score(self, post_id: int) -> float:
        if post_id not in self.asked:
            self.asked.add(post_id)
            raise ScorePending
        return super().score(post_id)
