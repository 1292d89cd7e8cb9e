import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts import MoodyAudience, moody_face

from kilroy_gym import PostData
from kilroy_gym.audiences import BernoulliAudience
from kilroy_gym.codecs import UnencodablePost
from kilroy_gym.faces import SimulatedFace
from kilroy_gym.faces.simulated import REMEMBERED_POSTS

contents = st.lists(st.sampled_from(["cats", "dogs", "news"]), min_size=1, max_size=8)
seeds = st.integers(0, 2**32)


def scores_of(face, xs):
    return [face.score(face.post(PostData(x))) for x in xs]


def test_posts_are_numbered_from_zero_and_the_communitys_below_it():
    face = SimulatedFace(BernoulliAudience())
    assert [post_id for post_id, _ in face.scrap(3)] == [-3, -2, -1]
    assert [face.post(PostData(True)) for _ in range(3)] == [0, 1, 2]


def test_it_is_the_notebooks_face():
    face = SimulatedFace(BernoulliAudience())
    scraped = [post.x for _, post in face.scrap()]
    assert scraped == [number % 3 == 0 for number in range(100)]
    assert {type(x) for x in scraped} == {bool}
    assert scores_of(face, [True, False]) == [1.0, -1.0]


@pytest.mark.parametrize("limit", [0, 1, 250])
def test_scrap_yields_as_many_as_the_limit(limit):
    assert len(list(SimulatedFace(BernoulliAudience()).scrap(limit))) == limit


@given(seeds, contents)
def test_the_same_seed_gives_the_same_scores(seed, xs):
    face = SimulatedFace(MoodyAudience(), seed)
    first = scores_of(face, xs)
    face.restart(np.random.default_rng(seed))
    assert scores_of(face, xs) == first == scores_of(SimulatedFace(MoodyAudience(), seed), xs)


@given(seeds, contents, st.lists(st.integers(0, 20), max_size=3))
def test_scraping_changes_nothing_in_what_follows(seed, xs, limits):
    face = SimulatedFace(MoodyAudience(), seed)
    for limit in limits:
        list(face.scrap(limit))
    assert scores_of(face, xs) == scores_of(SimulatedFace(MoodyAudience(), seed), xs)


@given(seeds, contents)
def test_posting_changes_nothing_in_what_is_scraped(seed, xs):
    def scraped(face):
        return [post for _, post in itertools.islice(face.scrap(), 10)]

    face = SimulatedFace(MoodyAudience(), seed)
    scores_of(face, xs)
    assert scraped(face) == scraped(SimulatedFace(MoodyAudience(), seed))


@given(seeds, contents, contents)
def test_playing_a_round_equals_posting_it(seed, first, second):
    played, posted = (SimulatedFace(MoodyAudience(), seed) for _ in range(2))
    for xs in (first, second):
        post_ids, response = played.play(played.codec.encode_many(xs))
        ids = [posted.post(PostData(x)) for x in xs]
        assert post_ids.tolist() == ids
        assert response[0].tolist() == [posted.score(post_id) for post_id in ids]
        truths = zip(response[1], response[2], strict=True)
        assert list(truths) == [posted.truth(post_id) for post_id in ids]


def test_asking_again_gives_the_same_score():
    face = SimulatedFace(MoodyAudience(), 0)
    post_id = face.post(PostData("dogs"))
    assert face.score(post_id) == face.score(post_id)


def test_a_post_that_was_never_made_has_no_score():
    with pytest.raises(KeyError, match="no post 7 to score: it was never made"):
        SimulatedFace(BernoulliAudience()).score(7)


def test_only_the_latest_posts_are_remembered():
    face = SimulatedFace(BernoulliAudience())
    post = PostData(True)
    for _ in range(REMEMBERED_POSTS + 1):
        face.post(post)
    assert face.score(1) == 1.0
    with pytest.raises(KeyError, match="not among the last 100,000"):
        face.score(0)


def test_content_the_audience_does_not_know_is_refused_and_not_posted():
    face = SimulatedFace(MoodyAudience(), 0)
    with pytest.raises(UnencodablePost, match="birds"):
        face.post(PostData("birds"))
    assert face.post(PostData("cats")) == 0


def test_a_post_with_a_key_is_made_once():
    face = moody_face()
    keys = [5, 6, 5, 7, 6]
    assert [face.post(PostData("cats", key=key)) for key in keys] == [0, 1, 0, 2, 1]
    assert face.post(PostData("dogs")) == 3
    face.restart(np.random.default_rng(0))
    assert face.post(PostData("cats", key=6)) == 0
