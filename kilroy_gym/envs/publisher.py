"""Posting in rounds, in a Face's own time."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from numbers import Real
from typing import Any

from kilroy_gym.clock import Clock, steady
from kilroy_gym.interfaces import (
    AnyFace,
    AnyId,
    FaceError,
    KnowsTruth,
    PassesTime,
    ScorePending,
    WrapsFace,
    find,
)
from kilroy_gym.post import AnyPost

FIRST_RETRY_S, LAST_RETRY_S = 0.05, 60.0


class Publisher:
    """Makes posts at a pace and collects their scores when they are due.

    It owns the round that goes out: what an error or an interrupt leaves of it is kept, and the
    next call goes on with it after :meth:`resume`. Without that the next call begins a new round.

    Args:
        face: The platform.
        post_rate: Seconds after each post before the next goes out.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        clock: Where time comes from.

    Attributes:
        pending: The posts whose scores are not known yet, by post id: the time each was made.
    """

    def __init__(self, face: AnyFace, post_rate: float, score_delay_s: float, clock: Clock) -> None:
        """Starts with nothing pending."""
        self.face = face
        self.set_pace(post_rate, score_delay_s)
        self.clock, self._time = clock, steady(clock)
        self.pending: dict[AnyId, float] = {}
        own_time, truth = find(face, PassesTime), find(face, KnowsTruth)
        self._wait = clock.sleep if own_time is None else own_time.wait
        self._truth = None if truth is None else truth.truth
        # Of the round that goes out: ids by slot, and scores that nobody was given yet.
        self._ids: dict[int, Any] = {}
        self._scores: dict[AnyId, float] = {}
        self._waits = self._resumed = False
        self._last_at: float | None = None

    def set_pace(self, post_rate: float, score_delay_s: float) -> None:
        """Sets both durations, in seconds; what is under way goes on with the new ones."""
        self.post_rate, self.score_delay_s = post_rate, score_delay_s
        self._timed = bool(post_rate or score_delay_s)

    def resume(self, post_ids: Mapping[int, AnyId] | None = None) -> None:
        """Lets the next call go on with the round that was not finished, if there is one.

        Args:
            post_ids: The ids of the posts that were made, by slot, where another process began
                the round.
        """
        if post_ids is not None:
            self._ids = dict(post_ids)
        self._resumed = True

    def expect(self, ages_s: Mapping[AnyId, float]) -> None:
        """Expects the scores of posts that another process made, by post id: their ages."""
        now = self._time()
        self.pending.update({post_id: now - age_s for post_id, age_s in ages_s.items()})
        self._last_at = max(self.pending.values(), default=self._last_at)

    def forget(self) -> None:
        """Drops all that is pending or was begun: the world starts over."""
        self.pending.clear()
        self._ids, self._scores, self._last_at = {}, {}, None

    def round(
        self, posts: Sequence[AnyPost], wait: bool = True
    ) -> tuple[list[Any], dict[AnyId, float]]:
        """Makes posts in order and collects scores.

        Args:
            posts: What to post. In a round that is resumed, the same as before.
            wait: Whether to ask until every pending post has its score, or just once.

        Returns:
            The post ids in order, and the scores by post id: all of this round's, or where it
            does not wait those of any round that became known now.

        Raises:
            FaceError: The Face failed; the error carries what was done by then.
        """
        self._begin(wait)
        with self.reporting(posts):
            self._publish(posts)
            self._collect(wait)
        return [self._ids[slot] for slot in range(len(posts))], dict(self._scores)

    def one(self, post: AnyPost) -> tuple[Any, float]:
        """Makes a round of one post; returns its id and its score.

        Raises:
            FaceError: The Face failed; the error carries the post where it was made.
        """
        if not (self._timed or self._resumed or self._ids):
            # The round spelled out: a simulated Face answers faster than a round's bookkeeping.
            face, made = self.face, False
            try:
                post_id = face.post(post)
                made = True
                score = face.score(post_id)
                if type(score) is float and isfinite(score):
                    return post_id, score
                return post_id, check_score(score, post_id)
            except BaseException as error:
                self._waits = True
                if made:
                    self._ids, self.pending[post_id] = {0: post_id}, self._time()
                if not (made and isinstance(error, ScorePending)):
                    if isinstance(error, Exception):
                        raise self._failure(error, [post]) from error
                    raise
            self.resume()  # the post is made, and its score is to be waited for
        ids, scores = self.round([post])
        return ids[0], scores[ids[0]]

    def truths(
        self, posts: Sequence[AnyPost], scores: Mapping[AnyId, float], post_ids: Sequence[AnyId]
    ) -> list[tuple[float, float]] | None:
        """Returns expected and best score of each post of a round; ``None`` where nobody knows.

        Raises:
            FaceError: The Face failed; the error carries the round.
        """
        if self._truth is None:
            return None
        self.keep(post_ids, scores)
        with self.reporting(posts):
            return [self._truth(post_id) for post_id in post_ids]

    def keep(self, post_ids: Sequence[AnyId], scores: Mapping[AnyId, float]) -> None:
        """Keeps what a round has done, for whatever can still fail before it is handed over."""
        self._ids, self._scores = dict(enumerate(post_ids)), dict(scores)

    def finish(self) -> None:
        """Ends the round: its scores were handed over."""
        if self._ids:
            self._ids, self._scores = {}, {}

    def drain(self) -> dict[AnyId, float]:
        """Waits for every pending score.

        Raises:
            FaceError: The Face failed; the error carries the scores that had come by then.
        """
        if not self._resumed:
            self._scores = {}
        self._resumed = False
        with self.reporting([]):
            self._collect(wait=True)
        scores, self._scores = self._scores, {}
        return scores

    def _begin(self, wait: bool) -> None:
        """Goes on with the last round where it is resumed; else forgets what is left of it."""
        if not self._resumed:
            if self._waits:  # they are in the error, and no later round may be given their scores
                for post_id in self._ids.values():
                    self.pending.pop(post_id, None)
            self._ids, self._scores = {}, {}
        self._resumed, self._waits = False, wait

    def _publish(self, posts: Sequence[AnyPost]) -> None:
        now = self._time()
        for post_id in self._ids.values():
            if post_id not in self._scores:
                self.pending.setdefault(post_id, now)
        slots: Sequence[int] = range(len(posts))
        if self._ids:
            slots = [slot for slot in slots if slot not in self._ids]
        left = iter(slots)
        if slots:
            if self._ids and self._last_at is not None:
                self._sleep_until(self._last_at + self.post_rate)
            to_send = [posts[slot] for slot in slots] if self._ids else posts
            paced = self._paced(to_send) if self.post_rate else to_send
            for post_id in self.face.post_many(paced):
                if post_id in self.pending or post_id in self._scores:
                    raise ValueError(f"it gave two posts the same id, {post_id!r}")
                if (slot := next(left, None)) is None:
                    raise ValueError(f"it gave more ids than the {len(slots)} posts it was given")
                self._ids[slot] = post_id
                self.pending[post_id] = self._last_at = self._time()
        if missing := len(list(left)):
            raise ValueError(f"it gave {len(slots) - missing} ids for {len(slots)} posts")

    def _paced(self, posts: Sequence[AnyPost]) -> Iterator[AnyPost]:
        for post in posts:
            yield post
            self.clock.sleep(self.post_rate)

    def _collect(self, wait: bool) -> None:
        retry_s = FIRST_RETRY_S
        while self.pending:
            due = self._due(wait)
            for post_id, score in self.face.score_many(due) if due else ():
                if post_id not in self.pending:
                    raise ValueError(f"it gave a score of {post_id!r}, which is not pending")
                self._scores[post_id] = check_score(score, post_id)
                del self.pending[post_id]
            if not wait or not self.pending:
                break
            self._wait(retry_s)
            retry_s = min(2 * retry_s, LAST_RETRY_S)

    def _due(self, wait: bool) -> list[Any]:
        """Returns the posts whose scores may be asked for, after a wait for the youngest."""
        if not self.score_delay_s:
            return list(self.pending)
        if wait:
            self._sleep_until(max(self.pending.values()) + self.score_delay_s)
        now, delay = self._time(), self.score_delay_s
        return [post_id for post_id, made_at in self.pending.items() if made_at + delay <= now]

    def _sleep_until(self, moment: float) -> None:
        # A sleep may end early, or a hair short of the moment by rounding.
        while (rest := moment - self._time()) > 0:
            self.clock.sleep(max(rest, 1e-6))

    @contextmanager
    def reporting(self, posts: Sequence[AnyPost]) -> Iterator[None]:
        """Raises what fails within the block as a :class:`FaceError` that carries the round."""
        try:
            yield
        except Exception as error:
            raise self._failure(error, posts) from error

    def _failure(self, error: Exception, posts: Sequence[AnyPost]) -> FaceError:
        """Returns the error that carries what a round had done when ``error`` stopped it."""
        platform = self.face
        while isinstance(platform, WrapsFace):
            platform = platform.face
        made = {self._ids[slot]: post for slot, post in enumerate(posts) if slot in self._ids}
        return FaceError(
            f"{type(platform).__name__} failed after {len(made)} of this round's {len(posts)} "
            f"posts were made and {len(self._scores)} scores were known (this error's `posts` and "
            f"`scores` hold them): {type(error).__name__}: {error}",
            made,
            self._scores,
        )


def check_score(score: Any, post_id: AnyId) -> float:
    """Returns a score as a float.

    Raises:
        ValueError: It is not a finite number; the message names the post.
    """
    # bool is a number to Python, and a like is a fair score
    if isinstance(score, (int, float, Real)) and isfinite(score):
        return float(score)
    raise ValueError(f"the score of post {post_id!r} must be a finite number, got {score!r}")
