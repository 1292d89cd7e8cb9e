"""A Face from an audience."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym.audiences import Audience, Response
from kilroy_gym.interfaces import Action, AnyArray, KilroyFace, ScorePending
from kilroy_gym.post import AnyPost, PostData

SCRAPED_POSTS = 100
"""How many posts ``scrap`` yields without a limit, as in the original notebook."""

REMEMBERED_POSTS = 100_000
"""Only this many of the latest posts can be scored, so that memory stays bounded."""


class SimulatedFace(KilroyFace[Any, int]):
    """A platform with a simulated audience.

    A post's id is its number, from 0. Posts by others have negative ids and a random stream of
    their own, so scraping does not affect what follows.

    Args:
        audience: Who likes what.
        seed: Seed, or a generator to draw from, until :meth:`restart` sets another.
    """

    idempotent = True

    def __init__(self, audience: Audience, seed: int | np.random.Generator | None = None) -> None:
        """Starts with no posts."""
        self.audience = audience
        self.codec = audience.codec
        self.observation_space = audience.observation_space
        self.restart(np.random.default_rng(seed))

    @property
    def module(self) -> str | None:
        """The name of the function that makes the module of its audience, or ``None``."""
        return self.audience.module

    def restart(self, rng: np.random.Generator) -> None:
        """Starts over; from now on all randomness comes from children of ``rng``."""
        # Children, since an agent with the same seed would draw the same numbers as ``rng``: its
        # exploration would correlate with the noise of the scores, and it would learn from that.
        self._rng, self._scrap_rng = rng.spawn(2)
        self._responses: dict[int, Response] = {}
        self._due: dict[int, int] = {}
        self._made: dict[int, int] = {}
        self._next_id = self._waited = 0
        self.audience.restart(self._rng)

    def scrap(self, limit: int | None = None) -> Iterator[tuple[int, AnyPost]]:
        """Yields ``limit`` posts of the community, by default 100."""
        count = SCRAPED_POSTS if limit is None else limit
        actions, contexts = self.audience.community(count, self._scrap_rng)
        for number, x in enumerate(self.codec.decode_many(actions)):
            yield number - count, PostData(x, None if contexts is None else contexts[number])

    @property
    def plays_actions(self) -> bool:
        """Whether :meth:`play` equals posting and scoring: no subclass overrides only those."""
        single = {"post", "post_many", "score", "score_many", "truth"}
        changed = next(kind for kind in type(self).__mro__ if single & vars(kind).keys())
        return "play" in vars(changed)

    def post(self, data: AnyPost) -> int:
        """Makes a post, unless one with its key was made before, and returns its id."""
        key = data.key
        if key is None:
            return self._post(data)
        if key not in self._made:
            self._made[key] = self._post(data)
            if len(self._made) > REMEMBERED_POSTS:
                del self._made[next(iter(self._made))]
        return self._made[key]

    def _post(self, data: AnyPost) -> int:
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
        """Advances by one post of somebody else; ``seconds`` is ignored."""
        self._waited += 1

    def observe(self, count: int) -> AnyArray:
        """Returns what is observed before each of the next ``count`` posts.

        Returns:
            An array of shape ``(count, *observation_space.shape)``.
        """
        return self.audience.observe(count)

    def truth(self, post_id: int) -> tuple[float, float]:
        """Returns the expected score of a post, and the best of any post at that time."""
        _, expected_score, best_score = self._response(post_id)
        return float(expected_score), float(best_score)

    def play(self, actions: AnyArray) -> tuple[npt.NDArray[np.int64], Response]:
        """Makes a round of posts from checked actions, without a Python object per post.

        Equivalent to posting and scoring them one by one, except that they cannot be scored again.

        Args:
            actions: Of shape ``(n, *codec.space.shape)``, as ``codec.check_actions`` returns them.

        Returns:
            The post ids, int64 of shape ``(n,)``, and the audience's response to them.
        """
        first, self._next_id = self._next_id, self._next_id + len(actions)
        return np.arange(first, self._next_id), self.audience.respond(actions, self._rng)

    def play_one(self, action: Action) -> tuple[int, Response]:
        """Makes one post as :meth:`play` makes many; returns its id and the response."""
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

    def __repr__(self) -> str:
        """Names the audience."""
        return f"{type(self).__name__}({type(self.audience).__name__})"
