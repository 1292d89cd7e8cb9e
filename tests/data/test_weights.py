import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from kilroy_gym import PostData
from kilroy_gym.data import FileCachingDatasetFactory, MemoryCachingDatasetFactory
from kilroy_gym.data.weights import Resampled, rank_weights, weigh_by

numbers = st.integers(-5, 5) | st.floats(-1e300, 1e300)
known = st.lists(numbers, min_size=1, max_size=20).map(lambda found: np.array(found, np.float64))
weights = st.lists(st.integers(0, 9) | st.floats(0, 1e308), min_size=1, max_size=20).filter(any)
seeds = st.integers(0, 2**32)


def resampled(weights, seed=0, factory=None):
    """Returns what was drawn of the posts 0, 1, 2 .. in two epochs, and by index."""
    posts = (PostData(number) for number in range(len(weights)))
    with (factory or MemoryCachingDatasetFactory()).create(posts) as dataset:
        rng = np.random.default_rng(seed)
        view = Resampled(dataset, np.zeros(len(weights)), lambda scores: np.array(weights), rng)
        at_first = [post.x for post in view]
        assert [post.x for post in view[:]] == at_first
        epochs = [[post.x for batch in view.batches(3) for post in batch] for _ in range(2)]
        return at_first, *epochs


@given(known)
def test_weights_are_the_mean_ranks(scores):
    assert rank_weights(scores).tolist() == rankdata(scores, "average").tolist()


@given(known, st.integers(1, 5))
def test_what_is_not_known_has_the_mean_weight_and_changes_no_other(scores, unknown):
    found = rank_weights(np.concatenate([scores, np.full(unknown, np.nan)]))
    assert found[: len(scores)].tolist() == rank_weights(scores).tolist()
    assert found[len(scores) :] == pytest.approx(rank_weights(scores).mean())


def test_without_any_score_there_are_no_ranks():
    with pytest.raises(ValueError, match=r"no post.s score is known"):
        rank_weights(np.full(3, np.nan))


@pytest.mark.parametrize("given_value", [False, np.False_])
def test_by_default_nothing_is_weighed(given_value):
    assert weigh_by(given_value) is None
    assert weigh_by(True) is weigh_by(np.True_) is rank_weights


@pytest.mark.parametrize("given_value", [None, 1, "rank", [1.0]])
def test_what_is_no_way_to_weigh_is_refused(given_value):
    with pytest.raises(TypeError, match="weight_by_score must be True, False, or a function"):
        weigh_by(given_value)


@given(weights, seeds)
def test_each_post_is_there_as_often_as_its_weight_says_up_to_rounding(weights, seed):
    shares = np.array(weights) / max(weights)
    expected = shares / shares.sum() * len(weights)
    for drawn in resampled(weights, seed):
        counts = np.bincount(drawn, minlength=len(weights))
        assert len(drawn) == len(weights)
        assert (np.abs(counts - expected) < 1 + 1e-9).all()
        assert not counts[np.array(weights) == 0].any()
        assert drawn == sorted(drawn)  # in the order of the scrape


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 9), seeds)
def test_so_are_all_posts_of_a_weight_also_where_weights_repeat_in_a_rhythm(rhythm, times, seed):
    weights = np.array([*rhythm, 1] * times)
    for drawn in resampled(weights.tolist(), seed):
        for weight in set(weights.tolist()):
            expected = weight * (weights == weight).sum() / weights.sum() * len(weights)
            assert abs((weights[drawn] == weight).sum() - expected) < 1 + 1e-9


def test_equal_weights_draw_every_post_once():
    assert resampled([0.1] * 50)[1] == list(range(50))


def test_over_epochs_the_shares_are_exact():
    with MemoryCachingDatasetFactory().create(map(PostData, range(4))) as dataset:
        rng = np.random.default_rng(0)
        view = Resampled(dataset, np.arange(4.0), lambda scores: scores, rng)
        drawn = [post.x for _ in range(3000) for batch in view.batches(4) for post in batch]
    assert np.bincount(drawn) / 3000 == pytest.approx(np.arange(4) * 4 / 6, abs=0.03)


@given(weights, seeds)
def test_the_seed_decides_and_where_the_posts_are_does_not(weights, seed):
    assert resampled(weights, seed) == resampled(weights, seed, FileCachingDatasetFactory())


def test_other_seeds_draw_others():
    assert len({tuple(resampled(range(9), seed)[0]) for seed in range(10)}) > 1


def test_shuffled_batches_hold_what_was_drawn():
    with MemoryCachingDatasetFactory().create(map(PostData, range(50))) as dataset:
        view = Resampled(dataset, np.arange(50.0), rank_weights, np.random.default_rng(0))
        batches = list(view.batches(7, np.random.default_rng(1)))
        assert [len(batch) for batch in batches] == [7] * 7 + [1]
        drawn = [post.x for batch in batches for post in batch]
        assert sorted(drawn) == [post.x for post in view]
        assert drawn != sorted(drawn)


def test_a_function_may_change_the_scores_that_it_gets():
    def weigh(scores):
        scores[np.isnan(scores)] = 1.0
        return scores

    scores = np.array([0.0, np.nan])
    with MemoryCachingDatasetFactory().create(map(PostData, range(2))) as dataset:
        view = Resampled(dataset, scores, weigh, np.random.default_rng(0))
        assert [post.x for post in view] == [1, 1]
    assert np.isnan(scores[1])


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ([1.0, 2.0], r"a weight for each of 3 scores, got an array of shape \(2,\)"),
        ([[1.0], [2.0], [3.0]], r"got an array of shape \(3, 1\)"),
        (2.0, r"got an array of shape \(\)"),
        ([1.0, -0.5, 2.0], "finite weights of at least 0, got -0.5"),
        ([1.0, np.nan, 2.0], r"got nan \(unknown scores are NaN\)"),
        ([1.0, np.inf, 2.0], "got inf"),
        ([0.0, 0.0, 0.0], "a weight above 0, got only zeros"),
        (["a", "b", "c"], r"must return an array, got \['a', 'b', 'c'\]"),
        (None, "weight_by_score must return"),
    ],
)
def test_what_are_no_weights_is_refused(weights, reason):
    rng = np.random.default_rng(0)
    factory = MemoryCachingDatasetFactory()
    with (
        factory.create(map(PostData, range(3))) as dataset,
        pytest.raises(ValueError, match=reason),
    ):
        Resampled(dataset, np.zeros(3), lambda scores: weights, rng)
