"""Retrying after a platform's transient failures."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from kilroy_gym._checks import integer, number
from kilroy_gym._extras import needs_extra
from kilroy_gym.clock import Clock, UnixClock, steady
from kilroy_gym.faces.failures import is_passing, retry_after_s
from kilroy_gym.faces.wrappers.base import FaceWrapper, check_key_kept
from kilroy_gym.interfaces import (
    AnyArray,
    AnyFace,
    AnyId,
    Observes,
    PostRefused,
    ScoredPost,
    ScorePending,
    ScrapsScored,
)
from kilroy_gym.post import AnyPost
from kilroy_gym.storage.keys import Keys

Item = TypeVar("Item")
Found = TypeVar("Found", bound=tuple[AnyId, ...])
log = logging.getLogger(__name__)


class RetryingFace(FaceWrapper):
    """Retries requests to a platform after transient errors.

    The wait doubles with each attempt, and is never shorter than the platform asks for (see
    :func:`~kilroy_gym.faces.failures.retry_after_s`). After the last attempt the platform's own
    error is raised, with a note about the attempts.

    A post is retried only if the Face inside is ``idempotent``, since the post may have been made
    although the answer was lost. **Otherwise a failed post is not retried**; everything else is.
    A retried scrape continues after the posts that it has yielded.

    Args:
        face: The Face inside.
        errors: Which errors are transient: exception types, or a function from an error to a
            bool.
        attempts: The most attempts, at least 1.
        first_wait_s: The wait before the second attempt, in seconds, above 0.
        longest_wait_s: The longest wait in seconds, unless the platform asks for more.
        give_up_after_s: No attempt begins later than this many seconds after the first.
        clock: Tells the time in unix seconds, and sleeps.

    Raises:
        ImportError: ``tenacity`` is missing; the message names the extra to install.
        ValueError: A number is out of its range, or the wrappers are in the wrong order.
    """

    passes_on = frozenset({ScrapsScored, Observes})
    passes_key = True

    def __init__(
        self,
        face: AnyFace,
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
        # No jitter: it would draw from the global random stream, which a user's module may use.
        self._backoff = tenacity.wait_exponential(self.first_wait_s, self.longest_wait_s)
        self._errors = errors

    def scrap(self, limit: int | None = None) -> Iterator[tuple[AnyId, AnyPost]]:
        """Yields existing posts with their ids, none twice."""
        return self._posts(self.face.scrap, limit)

    def post(self, data: AnyPost) -> AnyId:
        """Makes a post; retries only if the Face inside is ``idempotent``."""
        if not self.face.idempotent:
            return self.face.post(data)
        if data.key is None:
            data = replace(data, key=self._keys.fresh())
        return self._call(self.face.post, data)

    def score(self, post_id: AnyId) -> float:
        """Returns the score of a post, or raises :class:`ScorePending`."""
        return float(self._call(self.face.score, post_id))

    def score_many(self, post_ids: Iterable[AnyId]) -> Iterable[tuple[AnyId, float]]:
        """Yields the known scores; after an error asks only for the remaining ones."""
        left = dict.fromkeys(post_ids)

        def attempt() -> Iterator[tuple[AnyId, float]]:
            for post_id, score in self.face.score_many(list(left)):
                left.pop(post_id, None)
                yield post_id, score

        return self._stream(attempt)

    def scrap_scored(self, limit: int | None = None) -> Iterator[ScoredPost[Any]]:
        """Yields existing posts with their scores, none twice."""
        return self._posts(self._inside(ScrapsScored).scrap_scored, limit)

    def observe(self, count: int) -> AnyArray:
        """Returns what is observed before each of the next ``count`` posts."""
        return self._call(self._inside(Observes).observe, count)

    def _call(self, function: Callable[..., Item], *args: object) -> Item:
        retrying = self._retrying()
        try:
            returned: Item = retrying(function, *args)
        except Exception as error:
            attempts = retrying.statistics["attempt_number"]
            if attempts > 1:
                error.add_note(f"RetryingFace gave up after {attempts} attempts")
            raise
        return returned

    def _posts(
        self, scrap: Callable[[int | None], Iterator[Found]], limit: int | None
    ) -> Iterator[Found]:
        """Yields from a scrape; after an error scrapes again and skips what was yielded."""
        seen: set[AnyId] = set()

        def attempt() -> Iterator[Found]:
            for found in scrap(limit):
                if found[0] not in seen and (limit is None or len(seen) < limit):
                    seen.add(found[0])
                    yield found

        return self._stream(attempt)

    def _stream(self, attempt: Callable[[], Iterator[Item]]) -> Iterator[Item]:
        """Yields from attempts, each of which continues where the last one failed."""
        items = attempt()

        def following() -> list[Item]:
            nonlocal items
            try:
                return list(islice(items, 1))
            except Exception:
                items = attempt()
                raise

        while found := self._call(following):
            yield from found

    def _retrying(self) -> Any:
        import tenacity

        passed = steady(self.clock)
        begun = passed()

        def wait(state: tenacity.RetryCallState) -> float:
            error = _error(state)
            return max(self._backoff(state), retry_after_s(error, self.clock.time()))

        def enough(state: tenacity.RetryCallState) -> bool:
            next_at = passed() + state.upcoming_sleep
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
            return False  # an interrupt; or an answer, not a failure
        return (
            isinstance(error, self._errors)
            if isinstance(self._errors, tuple)
            else self._errors(error)
        )


def _error(state: Any) -> BaseException:
    error: BaseException = state.outcome.exception()
    return error
