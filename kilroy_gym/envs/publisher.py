"""Posting in rounds, in a Face's own time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from numbers import Real
from typing import Any

from kilroy_gym.clock import Clock
from kilroy_gym.interfaces import FaceError, KilroyFace, ScorePending
from kilroy_gym.post import PostData

FIRST_RETRY_S, LAST_RETRY_S = 0.05, 60.0


class Publisher:
    """Makes posts at a pace and collects their scores when they are due.

    Args:
        face: The platform.
        post_rate: Seconds after each post before the next goes out.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        clock: Where time comes from.

    Attributes:
        pending: The posts whose scores are not known yet, by post id: the time each was made.
    """

    def __init__(
        self, face: KilroyFace[Any, Any], post_rate: float, score_delay_s: float, clock: Clock
    ) -> None:
        """Starts with nothing pending."""
        self.face = face
        self.post_rate = post_rate
        self.score_delay_s = score_delay_s
        self.clock = clock
        self.pending: dict[Any, float] = {}
        self._wait = getattr(face, "wait", clock.sleep)
        self._timed = bool(post_rate or score_delay_s)

    def round(
        self, posts: Sequence[PostData[Any]], wait: bool = True
    ) -> tuple[list[Any], dict[Any, float]]:
        """Makes posts in order and collects scores.

        Args:
            posts: What to post.
            wait: Whether to ask until every pending post has its score, or just once.

        Returns:
            The post ids in order, and the scores by post id: all of this round's, or where it
            does not wait those of any round that became known now.

        Raises:
            FaceError: The Face failed; the error carries what was done by then.
        """
        made: dict[Any, PostData[Any]] = {}
        scores: dict[Any, float] = {}
        with self._reporting(made, scores, len(posts), forget=wait):
            self._publish(posts, made)
            self._collect(scores, wait)
        return list(made), scores

    def one(self, post: PostData[Any]) -> tuple[Any, float]:
        """Makes a round of one post; returns its id and its score.

        Raises:
            FaceError: The Face failed; the error carries the post where it was made.
        """
        if self._timed:
            ids, known = self.round([post])
            return ids[0], known[ids[0]]
        # The round spelled out: a simulated Face answers faster than the bookkeeping of a round.
        face, made = self.face, False
        try:
            post_id = face.post(post)
            made = True
            score = face.score(post_id)
            if type(score) is float and isfinite(score):
                return post_id, score
            return post_id, check_score(score, post_id)
        except Exception as error:
            if not (made and isinstance(error, ScorePending)):
                raise self.failure(error, {post_id: post} if made else {}, {}, 1) from error
        scores: dict[Any, float] = {}
        with self._reporting({post_id: post}, scores, 1, forget=True):
            self.pending[post_id] = self.clock.time()
            self._collect(scores, wait=True)
        return post_id, scores[post_id]

    def drain(self) -> dict[Any, float]:
        """Waits for every pending score.

        Raises:
            FaceError: The Face failed; the error carries the scores that had come by then.
        """
        scores: dict[Any, float] = {}
        with self._reporting({}, scores, 0, forget=False):
            self._collect(scores, wait=True)
        return scores

    def _publish(self, posts: Sequence[PostData[Any]], made: dict[Any, PostData[Any]]) -> None:
        for post_id in self.face.post_many(self._paced(posts)):
            if post_id in made or post_id in self.pending:
                raise ValueError(f"it gave two posts the same id, {post_id!r}")
            if len(made) == len(posts):
                raise ValueError(f"it gave more ids than the {len(posts)} posts it was given")
            made[post_id] = posts[len(made)]
            self.pending[post_id] = self.clock.time()
        if len(made) < len(posts):
            raise ValueError(f"it gave {len(made)} ids for {len(posts)} posts")

    def _paced(self, posts: Sequence[PostData[Any]]) -> Iterator[PostData[Any]]:
        for post in posts:
            yield post
            if self.post_rate:
                self.clock.sleep(self.post_rate)

    def _collect(self, scores: dict[Any, float], wait: bool) -> None:
        retry_s = FIRST_RETRY_S
        while self.pending:
            if wait:
                youngest = max(self.pending.values())
                self._sleep_until(youngest + self.score_delay_s)
            now, delay = self.clock.time(), self.score_delay_s
            due = [post_id for post_id, made_at in self.pending.items() if made_at + delay <= now]
            for post_id, score in self.face.score_many(due) if due else ():
                if post_id not in self.pending:
                    raise ValueError(f"it gave a score of {post_id!r}, which is not pending")
                scores[post_id] = check_score(score, post_id)
                del self.pending[post_id]
            if not wait or not self.pending:
                break
            self._wait(retry_s)
            retry_s = min(2 * retry_s, LAST_RETRY_S)

    def _sleep_until(self, moment: float) -> None:
        # A sleep may end early, or a hair short of the moment by rounding.
        while (rest := moment - self.clock.time()) > 0:
            self.clock.sleep(max(rest, 1e-6))

    @contextmanager
    def _reporting(
        self,
        made: dict[Any, PostData[Any]],
        scores: dict[Any, float],
        total: int,
        forget: bool,
    ) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if forget:  # they are in the error, and no later round may be given their scores
                self.pending.clear()
            if isinstance(error, Exception):
                raise self.failure(error, made, scores, total) from error
            raise

    def failure(
        self,
        error: Exception,
        made: dict[Any, PostData[Any]],
        scores: dict[Any, float],
        total: int,
    ) -> FaceError:
        """Returns the error that carries what a round had done when ``error`` stopped it."""
        platform = getattr(self.face, "unwrapped", self.face)  # inside any wrappers
        return FaceError(
            f"{type(platform).__name__} failed after {len(made)} of this round's {total} posts "
            f"were made and {len(scores)} scores were known (this error's `posts` and `scores` "
            f"hold them): {type(error).__name__}: {error}",
            made,
            scores,
        )


def check_score(score: Any, post_id: Any) -> float:
    """Returns a score as a float.

    Raises:
        ValueError: It is not a finite number; the message names the post.
    """
    # bool is a number to Python, and a like is a fair score
    if isinstance(score, (int, float, Real)) and isfinite(score):
        return float(score)
    raise ValueError(f"the score of post {post_id!r} must be a finite number, got {score!r}")
