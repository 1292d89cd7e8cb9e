import numpy as np
import pytest
from face_parts import OnceFace
from parts import WallFace, moody_face

from kilroy_gym import PostData
from kilroy_gym.faces import DryRunFace, DryRunId, JournaledFace, RateLimitedFace


def test_nothing_is_sent_counted_or_journaled(tmp_path):
    face = OnceFace()
    with DryRunFace(
        RateLimitedFace(JournaledFace(face, tmp_path / "journal"), tmp_path / "limit", per_day=1)
    ) as dry:
        ids = [*dry.post_many(map(PostData, (1, 2))), dry.post(PostData(3, key=77))]
        assert ids == [DryRunId(1), DryRunId(2), DryRunId(77)]
        assert [post.x for post in dry.posts] == [1, 2, 3]
        assert not face.posts
        assert not list(dry.face.face.journal.entries())


def test_everything_but_the_sending_is_that_of_the_face_inside():
    face = moody_face()
    dry = DryRunFace(face)
    assert list(dry.observe(2)) == list(moody_face().observe(2))
    assert list(dry.scrap(5)) == list(moody_face().scrap(5))


def test_its_posts_score_what_is_stated_and_others_their_own():
    face = WallFace()
    theirs = face.post(PostData(5))
    dry = DryRunFace(face, score=0.25)
    mine = dry.post(PostData(9))
    assert (dry.score(mine), dry.score(theirs)) == (0.25, 5)
    assert dict(dry.score_many([mine, theirs])) == {mine: 0.25, theirs: 5.0}
    assert dict(dry.score_many([mine])) == {mine: 0.25}
    assert len(face.asked) == 2


def test_the_last_200_posts_are_kept():
    dry = DryRunFace(WallFace())
    for x in range(250):
        dry.post(PostData(x))
    assert [post.x for post in dry.posts] == list(range(50, 250))


def test_nothing_is_true_of_what_never_was():
    assert not hasattr(DryRunFace(moody_face()), "truth")


def test_starting_over_begins_to_count_again():
    dry = DryRunFace(moody_face())
    dry.post(PostData("cats"))
    dry.restart(np.random.default_rng(0))
    assert dry.post(PostData("cats")) == DryRunId(1)
    assert len(dry.posts) == 1


def test_a_score_must_be_a_number():
    with pytest.raises(ValueError, match="score must be a number"):
        DryRunFace(WallFace(), score=float("nan"))
