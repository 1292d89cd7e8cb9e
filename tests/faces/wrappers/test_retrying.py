import logging
import sys

import numpy as np
import pytest
from face_parts import TOKEN, OnceFace, contents, unix_clock
from gymnasium.spaces import Box
from hypothesis import given
from hypothesis import strategies as st
from parts import WallFace

from kilroy_gym import PostData, ScorePending
from kilroy_gym.faces import RetryingFace
from kilroy_gym.interfaces import PostRefused


class Flaky(OnceFace):
    """Fails before it does anything, as long as there are errors left to raise."""

    observation_space = Box(0, 1, (1,))

    def __init__(self, *errors):
        super().__init__()
        self.errors, self.calls = list(errors), 0

    def _fail(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)

    def post(self, data):
        self._fail()
        return super().post(data)

    def score(self, post_id):
        self._fail()
        return 0.5

    def observe(self, count):
        self._fail()
        return np.zeros((count, 1))

    def scrap(self, limit=None):
        for number in range(6 if limit is None else limit):
            if number % 2:
                self._fail()
            yield number, PostData(number)

    def scrap_scored(self, limit=None):
        yield from ((number, post, number / 2) for number, post in self.scrap(limit))

    def score_many(self, post_ids):
        for number, post_id in enumerate(post_ids):
            if number % 2:
                self._fail()
            yield post_id, float(post_id)


def retrying(face, **settings):
    return RetryingFace(face, clock=unix_clock(), **settings)


def resets(count):
    return [ConnectionResetError(f"reset {number}") for number in range(count)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda face: face.score(0),
        lambda face: face.observe(2),
        lambda face: face.post(PostData(1)),
        lambda face: face.post(PostData(1, key=7)),
    ],
)
def test_what_fails_for_a_while_is_asked_for_again(ask):
    face = Flaky(*resets(3))
    ask(retrying(face))
    assert face.calls == 4


def test_a_post_whose_answer_got_lost_is_made_once_under_one_key():
    face = OnceFace()
    face.lose = 3
    assert retrying(face).post(PostData("hello")) == 0
    assert contents(face) == ["hello"]
    assert len(face.sent) == 4
    assert set(face.sent) == {1_700_000_000_000_000}


def test_every_post_has_a_key_of_its_own_though_time_stands_still():
    face = OnceFace()
    wrapper = retrying(face)
    assert list(wrapper.post_many(PostData(x) for x in range(3))) == [0, 1, 2]
    assert face.sent == [1_700_000_000_000_000 + 1000 * number for number in range(3)]


def test_where_the_face_is_not_idempotent_a_failed_post_is_not_tried_again():
    class Plain(WallFace):
        def post(self, data):
            super().post(data)
            raise ConnectionResetError

    face = Plain()
    wrapper = retrying(face)
    with pytest.raises(ConnectionResetError):
        wrapper.post(PostData("hello"))
    assert contents(face) == ["hello"]
    assert not wrapper.idempotent


def test_it_waits_twice_as_long_each_time_up_to_the_longest():
    wrapper = retrying(Flaky(*resets(6)), first_wait_s=2, longest_wait_s=20)
    waits, sleep = [], wrapper.clock.sleep
    wrapper.clock.sleep = lambda seconds: (waits.append(seconds), sleep(seconds))
    wrapper.score(0)
    assert waits == [2, 4, 8, 16, 20, 20]


def test_it_waits_for_as_long_as_the_server_asks():
    busy = ConnectionError("busy")
    busy.retry_after = 77
    wrapper = retrying(Flaky(busy, *resets(1)))
    wrapper.score(0)
    assert wrapper.clock.time() == 1_700_000_000 + 77 + 2


def test_it_gives_up_with_the_platforms_own_error_after_so_many_attempts():
    face = Flaky(*resets(99))
    with pytest.raises(ConnectionResetError, match="reset 4") as caught:
        retrying(face, attempts=5).score(0)
    assert face.calls == 5
    assert caught.value.__notes__ == ["RetryingFace gave up after 5 attempts"]


def test_it_gives_up_rather_than_wait_beyond_its_time():
    late = ConnectionError("come back tomorrow")
    late.retry_after = 86_400
    face = Flaky(*resets(1), late)
    wrapper = retrying(face, give_up_after_s=600)
    with pytest.raises(ConnectionError, match="tomorrow"):
        wrapper.score(0)
    assert face.calls == 2
    assert wrapper.clock.time() == 1_700_000_001  # it did not wait before giving up


def test_an_error_that_stays_is_raised_at_once():
    face = Flaky(KeyError("no such post"))
    with pytest.raises(KeyError) as caught:
        retrying(face).score(0)
    assert face.calls == 1
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("errors", [(ZeroDivisionError,), lambda error: "divide" in str(error)])
def test_a_user_says_which_errors_pass(errors):
    face = Flaky(ZeroDivisionError("divide"), ConnectionResetError("reset"))
    with pytest.raises(ConnectionResetError):
        retrying(face, errors=errors).score(0)
    assert face.calls == 2


@pytest.mark.parametrize("answer", [ScorePending, PostRefused, KeyboardInterrupt, SystemExit])
def test_news_and_the_wish_to_stop_are_never_asked_for_again(answer):
    face = Flaky(answer())
    with pytest.raises(answer):
        retrying(face, errors=lambda error: True).score(0)
    assert face.calls == 1


@pytest.mark.parametrize("name", ["scrap", "scrap_scored"])
@given(st.none() | st.integers(0, 9), st.integers(0, 9))
def test_a_scrape_that_breaks_off_goes_on_and_yields_nothing_twice(name, limit, failures):
    scraped = list(getattr(retrying(Flaky(*resets(failures))), name)(limit))
    assert scraped == list(getattr(Flaky(), name)(limit))


def test_posts_that_appear_while_a_scrape_breaks_off_do_not_make_it_longer():
    class Growing(Flaky):
        def scrap(self, limit=None):
            newest = -self.calls  # one more at the top after each failure
            yield from ((number, PostData(number)) for number in range(newest, newest + limit - 1))
            self._fail()
            yield newest + limit - 1, PostData(newest + limit - 1)

    assert [number for number, _ in retrying(Growing(*resets(2))).scrap(4)] == [0, 1, 2, -1]


@given(st.lists(st.integers(), unique=True), st.integers(0, 9))
def test_scores_that_break_off_go_on_behind_those_that_came(post_ids, failures):
    face = retrying(Flaky(*resets(failures)))
    scores = list(face.score_many(iter(post_ids)))
    assert scores == [(post_id, float(post_id)) for post_id in post_ids]


def test_the_log_names_the_failure_and_shows_no_secret(caplog):
    with caplog.at_level(logging.INFO):
        retrying(Flaky(ConnectionResetError(TOKEN))).score(0)
    assert caplog.messages == ["Flaky: ConnectionResetError; asking again in 1 s"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"attempts": 0}, "attempts must be an integer of at least 1, got 0"),
        ({"first_wait_s": 0}, "first_wait_s must be a number above 0"),
        ({"first_wait_s": 5, "longest_wait_s": 4}, "longest_wait_s must be a number of at least 5"),
        ({"give_up_after_s": float("nan")}, "give_up_after_s must be a number"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        retrying(OnceFace(), **settings)


def test_the_extra_is_named_where_tenacity_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "tenacity", None)
    with pytest.raises(ImportError, match=r"pip install 'kilroy-gym\[live\]'"):
        RetryingFace(OnceFace())
