"""Asking again where a platform failed for a while."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from kilroy_gym._checks import integer, number
from kilroy_gym._extras import needs_extra
from kilroy_gym.clock import Clock, UnixClock
from kilroy_gym.faces.failures import is_passing, retry_after_s
from kilroy_gym.faces.wrappers.base import FaceWrapper, check_key_kept
from kilroy_gym.interfaces import (
    KilroyFace,
    Observes,
    PostRefused,
    ScoredPost,
    ScorePending,
    ScrapsScored,
)
from kilroy_gym.post import PostData
from kilroy_gym.storage.keys import Keys

log = logging.getLogger(__name__)


class RetryingFace(FaceWrapper):
    """Asks a platform again after an error that may pass.

    Before each further attempt it waits twice as long as before the last one, and never less than
    the platform asks for (see :func:`~kilroy_gym.faces.failures.retry_after_s`). After the last
    attempt the platform's own error is raised, with a note about the attempts.

    A post is tried again only where the Face inside is ``idempotent``, since the answer that got
    lost may have been that the post was made. **Elsewhere a failed post is not tried again**; all
    the rest is. Scraping goes on behind the posts that have been yielded already.

    Args:
        face: The Face inside.
        errors: Which errors may pass: exception types, or a function of the error that tells.
        attempts: How often to try, at least 1.
        first_wait_s: The wait before the second attempt, in seconds, above 0.
        longest_wait_s: The longest wait that is not the platform's own wish, in seconds.
        give_up_after_s: No attempt is begun later than this many seconds after the first.
        clock: Tells unix seconds, and sleeps.

    Raises:
        ImportError: ``tenacity`` is not there; the message names the extra to install.
        ValueError: A number is out of its range, or the wrappers are in the wrong order.
    """

    passes_on = frozenset({ScrapsScored, Observes})
    passes_key = True

    def __init__(
        self,
        face: KilroyFace[Any, Any],
        errors: tuple[type[Exception], ...] | Callable[[BaseException], bool] = is_passing,
        attempts: int = 10,
        first_wait_s: float = 1.0,
        longest_wait_s: float = 300.0,
        give_up_after_s: float = 3600.0,
        clock: Clock | None = None,
    ) -> None:
        """Checks the arguments."""
        with needs_extra("live", "Faces that ask again"):
            import tenacity
        super().__init__(face)
        check_key_kept(self)
        self.clock = UnixClock() if clock is None else clock
        self.attempts = integer("attempts", attempts, 1)
        self.first_wait_s = number("first_wait_s", first_wait_s, 0, above=True)
        self.longest_wait_s = number("longest_wait_s", longest_wait_s, self.first_wait_s)
        self.give_up_after_s = number("give_up_after_s", give_up_after_s, 0)
        self._keys = Keys(self.clock)
        # No jitter: it would draw from the global generator, which a user's module may use.
        self._backoff = tenacity.wait_exponential(self.first_wait_s, self.longest_wait_s)
        self._errors = errors

    def scrap(self, limit: int | None = None) -> Iterator[tuple[Any, PostData[Any]]]:
        """Yields existing posts with their ids, none twice."""
        return self._posts(self.face.scrap, limit)

    def post(self, data: PostData[Any]) -> Any:
        """Makes a post; tries again only where the Face inside is ``idempotent``."""
        if not self.face.idempotent:
            return self.face.post(data)
        if data.key is None:
            data = replace(data, key=self._keys.fresh())
        return self._call(self.face.post, data)

    def score(self, post_id: Any) -> float:
        """Returns the score of a post, or raises :class:`ScorePending`."""
        return float(self._call(self.face.score, post_id))

    def score_many(self, post_ids: Iterable[Any]) -> Iterable[tuple[Any, float]]:
        """Yields the scores that are known; after an error asks for the others only."""
        left = dict.fromkeys(post_ids)

        def attempt() -> Iterator[tuple[Any, float]]:
            for post_id, score in self.face.score_many(list(left)):
                left.pop(post_id, None)
                yield post_id, score

        return self._stream(attempt)

    def scrap_scored(self, limit: int | None = None) -> Iterator[ScoredPost[Any]]:
        """Yields existing posts with their scores, none twice."""
        return self._posts(self._inside(ScrapsScored).scrap_scored, limit)

    def observe(self, count: int) -> npt.NDArray[Any]:
        """Returns what is observed before each of the next ``count`` posts."""
        observations: npt.NDArray[Any] = self._call(self._inside(Observes).observe, count)
        return observations

    def _call(self, function: Callable[..., Any], *args: Any) -> Any:
        retrying = self._retrying()
        try:
            return retrying(function, *args)
        except Exception as error:
            attempts = retrying.statistics["attempt_number"]
            if attempts > 1:
                error.add_note(f"RetryingFace gave up after {attempts} attempts")
            raise

    def _posts(
        self, scrap: Callable[[int | None], Iterator[Any]], limit: int | None
    ) -> Iterator[Any]:
        """Yields from a scrape and, after an error, from another one what has not come yet."""
        seen: set[Any] = set()

        def attempt() -> Iterator[Any]:
            for found in scrap(limit):
                if found[0] not in seen and (limit is None or len(seen) < limit):
                    seen.add(found[0])
                    yield found

        return self._stream(attempt)

    def _stream(self, attempt: Callable[[], Iterator[Any]]) -> Iterator[Any]:
        """Yields from attempts, each of which goes on where the last one failed."""
        items, end = attempt(), object()

        def following() -> Any:
            nonlocal items
            try:
                return next(items, end)
            except Exception:
                items = attempt()
                raise

        while (item := self._call(following)) is not end:
            yield item

    def _retrying(self) -> Any:
        import tenacity

        begun = self.clock.time()

        def wait(state: tenacity.RetryCallState) -> float:
            error = _error(state)
            return max(self._backoff(state), retry_after_s(error, self.clock.time()))

        def enough(state: tenacity.RetryCallState) -> bool:
            next_at = self.clock.time() + state.upcoming_sleep
            return state.attempt_number >= self.attempts or next_at - begun > self.give_up_after_s

        def tell(state: tenacity.RetryCallState) -> None:
            name, kind = type(self.unwrapped).__name__, type(_error(state)).__name__
            log.warning("%s: %s; asking again in %.3g s", name, kind, state.upcoming_sleep)

        return tenacity.Retrying(
            sleep=self.clock.sleep,
            stop=enough,
            wait=wait,
            retry=tenacity.retry_if_exception(self._may_pass),
            before_sleep=tell,
            reraise=True,
        )

    def _may_pass(self, error: BaseException) -> bool:
        if not isinstance(error, Exception) or isinstance(error, (ScorePending, PostRefused)):
            return False  # somebody wants to stop; or it is an answer, not a failure
        return (
            isinstance(error, self._errors)
            if isinstance(self._errors, tuple)
            else self._errors(error)
        )


def _error(state: Any) -> BaseException:
    error: BaseException = state.outcome.exception()
    return error
