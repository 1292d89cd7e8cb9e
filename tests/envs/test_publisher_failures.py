"""What a round hands over when its Face fails."""

import pytest
from parts import ID_MAKERS, WallFace

from kilroy_gym import FaceError, PostData, ScorePending
from kilroy_gym.envs.publisher import Publisher


def publisher(face, post_rate=0.0, score_delay_s=0.0):
    return Publisher(face, post_rate, score_delay_s, face.clock)


def posts(*xs):
    return [PostData(x) for x in xs]


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


def test_posting_cannot_be_pending():
    broken = Failing("post", 3, ScorePending())
    with pytest.raises(FaceError, match="ScorePending"):
        publisher(broken).one(PostData(3))
    with pytest.raises(FaceError, match="ScorePending"):
        publisher(broken).round(posts(3))
