"""A Face from an audience."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym.audiences import Audience, Response
from kilroy_gym.interfaces import KilroyFace, ScorePending
from kilroy_gym.post import PostData

SCRAPED_POSTS = 100
"""How many posts ``scrap`` yields where no limit is given, as in the original notebook."""

REMEMBERED_POSTS = 100_000
"""How many of the latest posts can be scored, so that memory does not grow with the run."""


class SimulatedFace(KilroyFace[Any, int]):
    """A platform with a simulated audience.

    A post's id is its number. What others posted has negative ids, and a stream of random
    numbers of its own: scraping changes nothing in what follows.

    Args:
        audience: Who likes what.
        seed: Seed, or a generator to draw from, until :meth:`restart` brings another.
    """

    idempotent = True

    def __init__(self, audience: Audience, seed: int | np.random.Generator | None = None) -> None:
        """Starts at the beginning of time."""
        self.audience = audience
        self.codec = audience.codec
        self.observation_space = audience.observation_space
        self.restart(np.random.default_rng(seed))

    def restart(self, rng: np.random.Generator) -> None:
        """Starts over; from now on all randomness comes from children of ``rng``."""
        # Children, since an agent with the same seed draws the very numbers of ``rng`` itself: its
        # exploration would then go with the noise of the scores, and it would learn from that.
        self._rng, self._scrap_rng = rng.spawn(2)
        self._responses: dict[int, Response] = {}
        self._due: dict[int, int] = {}
        self._made: dict[int, int] = {}
        self._next_id = self._waited = 0
        self.audience.restart(self._rng)

    def scrap(self, limit: int | None = None) -> Iterator[tuple[int, PostData[Any]]]:
        """Yields ``limit`` posts of the community (100 where it is ``None``)."""
        count = SCRAPED_POSTS if limit is None else limit
        actions, contexts = self.audience.community(count, self._scrap_rng)
        for number, x in enumerate(self.codec.decode_many(actions)):
            yield number - count, PostData(x, None if contexts is None else contexts[number])

    @property
    def plays_actions(self) -> bool:
        """Whether :meth:`play` stands for posting and scoring: no subclass changed only those."""
        single = {"post", "post_many", "score", "score_many", "truth"}
        changed = next(kind for kind in type(self).__mro__ if single & vars(kind).keys())
        return "play" in vars(changed)

    def post(self, data: PostData[Any]) -> int:
        """Makes a post, unless it was made before with its key; the audience takes it at once."""
        key = data.key
        if key is None:
            return self._post(data)
        if key not in self._made:
            self._made[key] = self._post(data)
            if len(self._made) > REMEMBERED_POSTS:
                del self._made[next(iter(self._made))]
        return self._made[key]

    def _post(self, data: PostData[Any]) -> int:
        action = self.codec.encode(data.x)
        post_id = self._next_id
        self._responses[post_id] = response = self.audience.respond(action, self._rng)
        self._next_id = post_id + 1
        delay = self.audience.delay(response[0])
        if delay:
            self._due[post_id] = self._next_id + self._waited + delay
        if post_id >= REMEMBERED_POSTS:
            self._responses.pop(post_id - REMEMBERED_POSTS, None)
            self._due.pop(post_id - REMEMBERED_POSTS, None)
        return post_id

    def score(self, post_id: int) -> float:
        """Returns the score of one of the last 100,000 posts.

        Raises:
            ScorePending: Not enough later posts have gone out yet.
            KeyError: There is no such post.
        """
        score, _, _ = self._response(post_id)
        if post_id in self._due:
            if self._due[post_id] > self._next_id + self._waited:
                raise ScorePending
            del self._due[post_id]
        return float(score)

    def wait(self, seconds: float) -> None:
        """Lets time pass while scores are pending: in whatever time, others make a post."""
        self._waited += 1

    def observe(self, count: int) -> npt.NDArray[Any]:
        """Returns what is observed before each of the next ``count`` posts."""
        return self.audience.observe(count)

    def truth(self, post_id: int) -> tuple[float, float]:
        """Returns the expected score of a post and the best that any post had then."""
        _, expected_score, best_score = self._response(post_id)
        return float(expected_score), float(best_score)

    def play(self, actions: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], Response]:
        """Makes a round of posts from checked actions without a Python object per post.

        Equal to posting and scoring them one after another, but that they cannot be scored again.

        Returns:
            The post ids, int64 of shape ``(n,)``, and the response to them.
        """
        first, self._next_id = self._next_id, self._next_id + len(actions)
        return np.arange(first, self._next_id), self.audience.respond(actions, self._rng)

    def play_one(self, action: Any) -> tuple[int, Response]:
        """Does what :meth:`play` does for one checked action; returns the post id too."""
        post_id, self._next_id = self._next_id, self._next_id + 1
        return post_id, self.audience.respond(action, self._rng)

    def _response(self, post_id: int) -> Response:
        try:
            return self._responses[post_id]
        except KeyError:
            raise KeyError(
                f"no post {post_id!r} to score: it was never made, or it is not among the last "
                f"{REMEMBERED_POSTS:,}"
            ) from None
