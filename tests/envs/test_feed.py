import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilroy_gym.envs.feed import AXIS, BACKGROUND, DOT, LENGTH, LINE, Feed, running_mean

finite = st.floats(allow_nan=False, allow_infinity=False)


def feed_of(scores):
    feed = Feed()
    for post_id, score in enumerate(scores):
        feed.add(post_id, f"post {post_id}", score)
    return feed


def colours(picture):
    return {tuple(pixel) for pixel in picture.reshape(-1, 3).tolist()}


def test_the_text_has_a_line_a_post_oldest_first():
    lines = feed_of([1.0, -0.5, None]).text().splitlines()
    assert lines == [
        "       +1  'post 0'  (post 0)",
        "     -0.5  'post 1'  (post 1)",
        "  pending  'post 2'  (post 2)",
    ]
    assert feed_of([1.0, -0.5]).text(last=1) == lines[1]


def test_a_late_score_is_filled_in():
    feed = feed_of([None, 2.0, None])
    feed.update({0: 3.0, "another's": 1.0})
    assert [line.split()[0] for line in feed.text().splitlines()] == ["+3", "+2", "pending"]


def test_only_the_latest_posts_are_remembered():
    feed = feed_of(range(LENGTH + 5))
    lines = feed.text(last=LENGTH + 5).splitlines()
    assert len(lines) == LENGTH
    assert lines[0].endswith("(post 5)")
    assert LINE in colours(feed.picture())


@settings(max_examples=20)
@given(st.lists(st.none() | finite | st.sampled_from([-1.0, 1.0]), max_size=LENGTH + 10))
def test_any_scores_make_a_picture(scores):
    picture = feed_of(scores).picture()
    assert (picture.shape, picture.dtype) == ((200, 400, 3), np.uint8)
    known = [score for score in scores[-LENGTH:] if score is not None]
    assert colours(picture) >= {BACKGROUND, AXIS} | ({LINE} if known else set())


def test_nothing_posted_makes_an_empty_picture():
    assert colours(Feed().picture()) == {BACKGROUND, AXIS}


def test_a_greater_score_is_drawn_higher():
    picture = feed_of([0.0, 1.0, 0.0, 1.0]).picture()
    rows, columns = np.nonzero((picture == DOT).all(axis=-1))
    first, second = columns < np.median(columns), columns >= np.median(columns)
    assert rows[first].max() > rows[second].min()
    assert rows.max() - rows.min() > 100


@given(st.lists(st.floats(-1e6, 1e6), max_size=60), st.integers(1, 70))
def test_the_running_mean_is_that_of_the_latest(scores, window):
    expected = [np.mean(scores[max(0, end - window) : end]) for end in range(1, len(scores) + 1)]
    assert running_mean(scores, window) == pytest.approx(expected, abs=1e-6)
