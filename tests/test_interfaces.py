import pickle

import pytest
from parts import ID_MAKERS, WallFace

from kilroy_gym import FaceError, KilroyFace, PostData
from kilroy_gym.audiences import BernoulliAudience
from kilroy_gym.faces import SimulatedFace
from kilroy_gym.interfaces import Simulated


def test_a_face_without_the_three_methods_cannot_be_made():
    class Mute(KilroyFace):
        def scrap(self, limit=None):
            yield 0, PostData(True)

    with pytest.raises(TypeError, match=r"post.*score"):
        Mute()


def test_post_many_takes_each_post_only_when_it_goes_out():
    face = WallFace()
    posted_before = []

    def paced():
        for x in (1, 2, 3):
            posted_before.append(len(face.posts))
            yield PostData(x)

    assert list(face.post_many(paced())) == [0, 1, 2]
    assert posted_before == [0, 1, 2]


@pytest.mark.parametrize("make_id", ID_MAKERS.values(), ids=ID_MAKERS)
def test_score_many_leaves_out_what_is_pending(make_id):
    face = WallFace(make_id=make_id, asks=lambda number: number % 2)
    ids = list(face.post_many(PostData(x) for x in (0.5, 1.5, 2.5)))
    assert dict(face.score_many(ids)) == {ids[0]: 0.5, ids[2]: 2.5}
    assert dict(face.score_many(ids)) == {ids[0]: 0.5, ids[1]: 1.5, ids[2]: 2.5}


def test_score_many_lets_other_failures_through():
    face = WallFace()
    with pytest.raises(KeyError):
        list(face.score_many(["never posted"]))


def test_a_face_error_keeps_copies_of_what_was_done():
    posts, scores = {1: PostData("a")}, {1: 0.5}
    error = FaceError("it broke", posts, scores)
    posts.clear()
    scores.clear()
    assert (str(error), error.posts, error.scores) == ("it broke", {1: PostData("a")}, {1: 0.5})


def test_a_face_error_survives_the_way_from_a_worker_process():
    error = pickle.loads(pickle.dumps(FaceError("it broke", {1: PostData("a")}, {1: 0.5})))
    assert (str(error), error.posts, error.scores) == ("it broke", {1: PostData("a")}, {1: 0.5})


def test_only_a_face_that_can_start_over_is_simulated():
    assert isinstance(SimulatedFace(BernoulliAudience()), Simulated)
    assert not isinstance(WallFace(), Simulated)
