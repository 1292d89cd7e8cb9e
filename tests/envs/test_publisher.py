import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts import ID_MAKERS, ManualClock, WallFace

from kilroy_gym import PostData
from kilroy_gym.envs.publisher import LAST_RETRY_S, Publisher, check_score


def publisher(face, post_rate=0.0, score_delay_s=0.0):
    return Publisher(face, post_rate, score_delay_s, face.clock)


def posts(*xs):
    return [PostData(x) for x in xs]


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6), st.sampled_from([*ID_MAKERS.values()]))
def test_a_round_gives_the_ids_in_order_and_every_score(xs, make_id):
    face = WallFace(make_id=make_id)
    ids, scores = publisher(face).round(posts(*xs))
    assert ids == [make_id(number) for number in range(len(xs))]
    assert scores == dict(zip(ids, xs, strict=True))
    assert face.posts == posts(*xs)


def test_every_post_is_followed_by_its_pause():
    face = WallFace()
    publisher(face, post_rate=1.5).round(posts(1, 2, 3))
    assert face.made_at == [0.0, 1.5, 3.0]
    assert face.clock.now == 4.5


@given(
    post_rate=st.floats(0, 100),
    score_delay_s=st.floats(0, 1000),
    count=st.integers(1, 5),
    wait=st.booleans(),
)
def test_no_score_is_asked_for_before_it_is_due(post_rate, score_delay_s, count, wait):
    face = WallFace()
    paced = publisher(face, post_rate, score_delay_s)
    paced.round(posts(*range(count)), wait)
    paced.drain()
    assert {post_id for post_id, _ in face.asked} == set(range(count))
    assert all(when >= face.made_at[post_id] + score_delay_s for post_id, when in face.asked)


def test_a_round_is_scored_together_after_its_last_post_is_due():
    face = WallFace()
    publisher(face, post_rate=2.0, score_delay_s=10.0).round(posts(1, 2, 3))
    assert {when for _, when in face.asked} == {14.0}


@given(st.lists(st.integers(0, 12), min_size=1, max_size=5))
def test_it_asks_again_and_ever_less_often_until_all_scores_are_there(asks):
    face = WallFace(asks=asks.__getitem__)
    _, scores = publisher(face).round(posts(*range(len(asks))))
    assert scores == {number: float(number) for number in range(len(asks))}
    moments = sorted({when for _, when in face.asked})
    pauses = np.diff(moments)
    assert len(pauses) == max(asks)
    assert (np.diff(pauses) >= -1e-9).all()
    assert (pauses <= LAST_RETRY_S + 1e-9).all()


def test_one_post_waits_for_its_score_too():
    face = WallFace(asks=lambda number: 3)
    waiting = publisher(face)
    assert waiting.one(PostData(0.5)) == (0, 0.5)
    assert len(face.asked) == 4
    assert face.clock.now > 0
    assert not waiting.pending


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=6))
def test_without_waiting_every_score_comes_exactly_once_and_as_late_as_it_is(rounds):
    asks = [late for part in rounds for late in part]
    face = WallFace(asks=asks.__getitem__)
    hasty = publisher(face)
    came_in: dict[int, int] = {}
    made = 0
    for number, part in enumerate(rounds):
        ids, scores = hasty.round(posts(*range(made, made + len(part))), wait=False)
        assert ids == list(range(made, made + len(part)))
        made += len(part)
        for post_id, score in scores.items():
            assert post_id not in came_in
            assert score == post_id
            came_in[post_id] = number
    late = hasty.drain()
    assert set(late) | set(came_in) == set(range(made))
    assert not set(late) & set(came_in)
    assert all(score == post_id for post_id, score in late.items())
    starts = [number for number, part in enumerate(rounds) for _ in part]
    assert all(came_in[post_id] == starts[post_id] + asks[post_id] for post_id in came_in)
    assert hasty.drain() == {}


def test_without_waiting_time_passes_only_for_the_pace():
    face = WallFace(asks=lambda number: 1)
    hasty = publisher(face, post_rate=1.0, score_delay_s=3.0)
    assert hasty.round(posts(7, 8), wait=False) == ([0, 1], {})
    assert face.clock.now == 2.0
    assert face.asked == []


@pytest.mark.parametrize("score", [1, 1.5, True, np.float32(1.5), np.int64(3), np.float64(2)])
def test_every_kind_of_number_is_a_score(score):
    assert type(check_score(score, 0)) is float
    assert check_score(score, 0) == score


def test_a_face_is_not_asked_for_the_scores_of_no_posts():
    class Metered(WallFace):
        def score_many(self, post_ids):
            if not (ids := list(post_ids)):
                raise ValueError("a request without ids")
            return super().score_many(ids)

    hasty = publisher(Metered(), score_delay_s=5.0)
    assert hasty.round(posts(1), wait=False) == ([0], {})
    assert hasty.drain() == {0: 1.0}


def test_a_face_may_post_and_score_in_bulk():
    class Bulk(WallFace):
        def post_many(self, posts):
            return [self.post(post) for post in list(posts)]

        def score_many(self, post_ids):
            return {post_id: self.score(post_id) for post_id in post_ids}.items()

    assert publisher(Bulk()).round(posts(1, 2)) == ([0, 1], {0: 1.0, 1: 2.0})


def test_a_sleep_that_ends_early_is_slept_on():
    class Restless(ManualClock):
        def sleep(self, seconds):
            super().sleep(max(seconds / 2, 1e-6))

    face = WallFace(clock=Restless())
    publisher(face, score_delay_s=10.0).round(posts(1))
    assert face.asked[0][1] >= 10.0
