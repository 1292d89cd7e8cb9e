import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts import ID_MAKERS, ManualClock, WallFace

from kilroy_gym import FaceError, PostData, ScorePending
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


class Failing(WallFace):
    """Fails at a method, for the post with a certain content."""

    def __init__(self, method, x, error, **kwargs):
        super().__init__(**kwargs)
        self.method, self.x, self.error = method, x, error

    def post(self, data):
        if self.method == "post" and data.x == self.x:
            raise self.error
        return super().post(data)

    def score(self, post_id):
        score = super().score(post_id)
        if self.method == "score" and score == self.x:
            raise self.error
        return score


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize(
    ("method", "posted", "scored"), [("post", [1, 2], {}), ("score", [1, 2, 3, 4], {0: 1, 1: 2})]
)
def test_nothing_is_lost_when_the_face_fails_in_a_round(method, posted, scored, wait):
    broken = Failing(method, 3, ConnectionError("no network"))
    with pytest.raises(FaceError, match=r"Failing failed.*ConnectionError: no network") as caught:
        publisher(broken).round(posts(1, 2, 3, 4), wait)
    assert caught.value.posts == dict(enumerate(posts(*posted)))
    assert caught.value.scores == scored
    assert caught.value.__cause__ is broken.error


@pytest.mark.parametrize("late", [0, 2])
@pytest.mark.parametrize(("method", "posted"), [("post", {}), ("score", {0: PostData(3)})])
def test_nothing_is_lost_when_the_face_fails_at_one_post(method, posted, late):
    broken = Failing(method, 3, ConnectionError("no network"), asks=lambda number: late)
    alone = publisher(broken)
    with pytest.raises(FaceError, match="no network") as caught:
        alone.one(PostData(3))
    assert (caught.value.posts, caught.value.scores) == (posted, {})
    broken.method = None
    assert alone.one(PostData(4)) == (len(posted), 4.0)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("play", [lambda p, x: p.one(PostData(x)), lambda p, x: p.round(posts(x))])
def test_after_an_interruption_a_later_round_has_its_own_scores_only(play, stop):
    broken = Failing("score", 3, stop(), asks=lambda number: 1)
    stopped = publisher(broken)
    with pytest.raises(stop):
        play(stopped, 3)
    broken.method = None
    assert stopped.round(posts(4)) == ([1], {1: 4.0})


def test_without_waiting_a_failure_leaves_the_pending_posts_pending():
    broken = Failing("post", 3, ConnectionError("no network"), asks=lambda number: 1)
    hasty = publisher(broken)
    hasty.round(posts(1), wait=False)
    with pytest.raises(FaceError):
        hasty.round(posts(2, 3), wait=False)
    assert hasty.drain() == {0: 1.0, 1: 2.0}


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf"), None, "5", 1j, [1]])
@pytest.mark.parametrize("play", [lambda p, x: p.one(PostData(x)), lambda p, x: p.round(posts(x))])
def test_a_score_that_is_no_finite_number_names_its_post(play, score):
    face = WallFace(score_of=lambda x: score, make_id=ID_MAKERS["str"])
    with pytest.raises(FaceError, match="score of post 'post/0' must be a finite number") as caught:
        play(publisher(face), 1)
    assert caught.value.posts == {"post/0": PostData(1)}


@pytest.mark.parametrize("score", [1, 1.5, True, np.float32(1.5), np.int64(3), np.float64(2)])
def test_every_kind_of_number_is_a_score(score):
    assert type(check_score(score, 0)) is float
    assert check_score(score, 0) == score


def test_two_posts_with_one_id_are_refused():
    face = WallFace(make_id=lambda number: number // 2)
    with pytest.raises(FaceError, match="it gave two posts the same id, 0") as caught:
        publisher(face).round(posts(1, 2))
    assert caught.value.posts == {0: PostData(1)}


def test_an_id_of_a_pending_post_is_refused():
    face = WallFace(make_id=lambda number: 0, asks=lambda number: 9)
    hasty = publisher(face)
    hasty.round(posts(1), wait=False)
    with pytest.raises(FaceError, match="it gave two posts the same id, 0"):
        hasty.round(posts(2), wait=False)


@pytest.mark.parametrize("play", [lambda p: p.one(PostData(1)), lambda p: p.round(posts(1))])
def test_an_id_that_is_not_hashable_is_refused(play):
    with pytest.raises(FaceError, match="unhashable"):
        play(publisher(WallFace(make_id=lambda number: [number])))


@pytest.mark.parametrize(
    ("ids", "reason"), [([0], "gave 1 ids for 2 posts"), ([0, 1, 2], "more ids than the 2 posts")]
)
def test_post_many_must_give_an_id_for_every_post(ids, reason):
    class Miscounting(WallFace):
        def post_many(self, posts):
            list(super().post_many(posts))
            return ids

    with pytest.raises(FaceError, match=reason):
        publisher(Miscounting()).round(posts(1, 2))


def test_a_score_nobody_asked_for_is_refused():
    class Gossiping(WallFace):
        def score_many(self, post_ids):
            return [(99, 1.0)]

    with pytest.raises(FaceError, match="99") as caught:
        publisher(Gossiping()).round(posts(1))
    assert caught.value.scores == {}


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


def test_posting_cannot_be_pending():
    broken = Failing("post", 3, ScorePending())
    with pytest.raises(FaceError, match="ScorePending"):
        publisher(broken).one(PostData(3))
    with pytest.raises(FaceError, match="ScorePending"):
        publisher(broken).round(posts(3))
