import subprocess
import sys
from pathlib import Path

import pytest
from face_parts import START, OnceFace, SettableClock, unix_clock
from hypothesis import given
from hypothesis import strategies as st
from parts import WallFace, moody_face

from kilroy_gym import PostData
from kilroy_gym.faces import JournaledFace, RateLimitedFace, StorageError

HOUR, DAY = 3600, 86_400


def times_of(moments, path, **limits):
    """Posts not before each of some moments, and returns when the posts were made."""
    clock = unix_clock()
    face = WallFace(clock=clock)
    with RateLimitedFace(face, path, clock=clock, **limits) as limited:
        for moment in moments:
            clock.now = max(clock.now, START + moment)
            limited.post(PostData(0))
    return face.made_at


def busiest(times, window_s):
    return max((sum(0 <= t - start < window_s - 1e-3 for t in times) for start in times), default=0)


@given(
    st.lists(st.floats(0, 3 * DAY), max_size=30).map(sorted),
    st.none() | st.integers(1, 4),
    st.integers(1, 9),
)
def test_no_hour_and_no_day_has_more_posts_than_the_limits(tmp_path_factory, moments, hour, day):
    path = tmp_path_factory.mktemp("limits") / "limit"
    times = times_of(moments, path, per_hour=hour, per_day=day)
    assert len(times) == len(moments)
    assert busiest(times, DAY) <= day
    assert hour is None or busiest(times, HOUR) <= hour


def test_it_waits_no_longer_than_it_must(tmp_path):
    times = times_of([0, 0, 100, 100, 5000], tmp_path / "limit", per_hour=2)
    assert [round(time - START, 3) for time in times] == [0, 0, 3600, 3600, 7200]


def test_a_limit_holds_over_a_restart(tmp_path):
    times_of([0, 10], tmp_path / "limit", per_hour=2)
    assert times_of([20], tmp_path / "limit", per_hour=2) == [START + HOUR]


def test_two_processes_share_the_limit_of_a_file(tmp_path):
    path = tmp_path / "limit"
    script = (
        "import sys; from parts import WallFace; from kilroy_gym import PostData;"
        "from kilroy_gym.faces import RateLimitedFace;"
        "RateLimitedFace(WallFace(), sys.argv[1], per_hour=2).post(PostData(True))"
    )
    with RateLimitedFace(WallFace(), path, per_hour=2) as limited:
        limited.post(PostData(0))
        command = [sys.executable, "-c", script, path]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
        assert limited._claim(None) > 3000


def test_a_post_that_fails_counts(tmp_path):
    class Failing(WallFace):
        def post(self, data):
            raise ConnectionResetError

    clock = unix_clock()
    with RateLimitedFace(Failing(), tmp_path / "limit", per_day=1, clock=clock) as limited:
        for _ in range(2):
            with pytest.raises(ConnectionResetError):
                limited.post(PostData(0))
    assert clock.now == START + DAY


def test_the_same_key_counts_once(tmp_path):
    clock, face = unix_clock(), OnceFace()
    face.lose = 1
    with RateLimitedFace(face, tmp_path / "limit", per_day=1, clock=clock) as limited:
        with pytest.raises(ConnectionResetError):
            limited.post(PostData(0, key=1))
        assert limited.post(PostData(0, key=1)) == 0
        assert clock.now == START
        limited.post(PostData(0, key=2))
    assert clock.now == START + DAY


def test_the_wait_comes_before_the_journals_key_which_is_the_time_of_the_post(tmp_path):
    clock = unix_clock()
    journaled = JournaledFace(OnceFace(), tmp_path / "journal", clock=clock)
    with RateLimitedFace(journaled, tmp_path / "limit", per_hour=1, clock=clock) as limited:
        limited.post(PostData(0)), limited.post(PostData(1))
        keys = [entry.key / 1e6 - START for entry in journaled.journal.entries()]
    assert keys == [0, HOUR]


def test_a_clock_that_was_set_back_blocks_for_no_longer_than_the_limit(tmp_path):
    clock = unix_clock(START + 1000 * DAY)
    with RateLimitedFace(WallFace(), tmp_path / "limit", per_hour=1, clock=clock) as limited:
        limited.post(PostData(0))
        clock.now = START
        limited.post(PostData(0))
    assert clock.now == START + HOUR


AWAY = st.sampled_from([0.0, -START, 2.0 * DAY, -2.0 * DAY, 1e9, 3600.0, -59.0])


@given(st.lists(st.tuples(AWAY, st.floats(0, DAY)), min_size=1, max_size=25), st.integers(1, 5))
def test_however_the_clock_is_set_a_process_never_posts_more_than_the_limit(
    tmp_path_factory, moments, day
):
    clock = SettableClock()
    path = tmp_path_factory.mktemp("limits") / "limit"
    made = []
    with RateLimitedFace(WallFace(), path, per_day=day, clock=clock) as limited:
        for clock.off, pause in moments:
            clock.now += pause / len(moments)
            limited.post(PostData(0))
            made.append(clock.now)
    assert busiest(made, DAY) <= day


@pytest.mark.parametrize("off", [-START, -5.0 * DAY, 0.0])
def test_a_clock_that_was_set_back_between_two_processes_frees_no_place(tmp_path, off):
    clock = SettableClock()
    for clock.off in (0.0, off):
        with RateLimitedFace(WallFace(), tmp_path / "limit", per_day=1, clock=clock) as limited:
            limited.post(PostData(0))
    assert clock.now == DAY


def test_a_clock_that_was_set_ahead_between_two_processes_counts_as_time_that_passed(tmp_path):
    clock = SettableClock()
    for clock.off in (0.0, 2.0 * DAY):
        with RateLimitedFace(WallFace(), tmp_path / "limit", per_day=1, clock=clock) as limited:
            limited.post(PostData(0))
    assert clock.now == 0


def test_a_clock_that_jumps_is_logged_once(tmp_path, caplog):
    clock = SettableClock()
    with RateLimitedFace(WallFace(), tmp_path / "limit", per_day=9, clock=clock) as limited:
        for clock.off in (0.0, 5.0, DAY, DAY, 0.0, 0.0):
            limited.post(PostData(0))
    told = [record.message for record in caplog.records]
    assert [text.split(" s away")[0] for text in told] == ["the clock is 86400", "the clock is 0"]


def test_it_is_never_a_simulated_face(tmp_path):
    with RateLimitedFace(moody_face(), tmp_path / "limit", per_hour=1) as limited:
        assert not hasattr(limited, "restart")


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({}, "give at least one limit"),
        ({"per_hour": 0}, "per_hour must be an integer of at least 1, got 0"),
        ({"per_day": 2.5}, "per_day must be an integer of at least 1, got 2.5"),
    ],
)
def test_limits_that_are_none_are_refused(tmp_path, limits, message):
    with pytest.raises(ValueError, match=message):
        RateLimitedFace(WallFace(), tmp_path / "limit", **limits)
    assert not list(tmp_path.iterdir())


def test_another_kind_of_file_is_refused(tmp_path):
    with JournaledFace(OnceFace(), tmp_path / "journal"):
        pass
    with pytest.raises(StorageError, match="is a database, but not a rate limit"):
        RateLimitedFace(WallFace(), tmp_path / "journal", per_hour=1)
