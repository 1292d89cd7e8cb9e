import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym import PostData
from kilroy_gym.codecs import SequenceCodec, UnencodablePost
from kilroy_gym.modules import CategoricalModule, SequenceModule
from kilroy_gym.modules.softmax import (
    divergence_gradient,
    entropy_gradient,
    log_softmax,
    path_log_chances,
    weighted_score_function,
)

SEQUENCES = SequenceCodec(vocabulary=5, length=4, start=1, stop=2)
tables = st.integers(0, 2**32).map(lambda s: np.random.default_rng(s).normal(0, 2, (6, 4)))


def finite_differences(function, logits, step=1e-6):
    gradient = np.zeros_like(logits)
    for place in np.ndindex(*logits.shape):
        ends = []
        for sign in (1, -1):
            moved = logits.copy()
            moved[place] += sign * step
            ends.append(function(moved))
        gradient[place] = (ends[0] - ends[1]) / (2 * step)
    return gradient


def entropy(logits):
    logs = log_softmax(logits)
    return -(np.exp(logs) * logs).sum()


@given(tables)
def test_the_gradient_of_the_entropy_is_that_of_finite_differences(logits):
    expected = finite_differences(entropy, logits)
    np.testing.assert_allclose(entropy_gradient(log_softmax(logits)), expected, atol=1e-7)


@given(tables, tables)
def test_the_gradient_of_the_divergence_is_that_of_finite_differences(logits, reference):
    logs = log_softmax(reference)

    def divergence(moved):
        now = log_softmax(moved)
        return (np.exp(now) * (now - logs)).sum()

    expected = finite_differences(divergence, logits)
    np.testing.assert_allclose(divergence_gradient(log_softmax(logits), logs), expected, atol=1e-7)


@given(tables, st.integers(0, 2**32))
def test_the_score_function_is_that_of_finite_differences(logits, seed):
    rng = np.random.default_rng(seed)
    places, chosen = rng.integers(-1, 6, (7, 3)), rng.integers(0, 4, (7, 3))
    weights = rng.normal(size=7)

    def weighted(moved):
        return weights @ path_log_chances(log_softmax(moved), places, chosen)

    expected = finite_differences(weighted, logits)
    gradient = weighted_score_function(log_softmax(logits), places, chosen, weights)
    np.testing.assert_allclose(gradient, expected, atol=1e-7)


def test_the_policy_gradient_points_where_the_expected_score_rises():
    values = np.array([0.0, 1.0, 3.0])
    module = CategoricalModule(range(3), memory=20_000, seed=0)
    drafts = [module.generate() for _ in range(20_000)]
    rate, module.rate = module.rate, 1e-12
    module.reinforce({draft_id: values[post.x] for draft_id, post in drafts})
    module.rate = rate
    spread = values.std()
    expected = finite_differences(
        lambda logits: float(np.exp(log_softmax(logits))[0] @ values) / spread, np.zeros((1, 3))
    )
    np.testing.assert_allclose(module.gradient(np.zeros((1, 3))), expected, atol=0.02)


def test_regularisation_adds_the_gradients_of_entropy_and_divergence_to_the_objective():
    def gradient(**options):
        module = CategoricalModule(range(3), memory=10, seed=0, **options)
        module.mimic([PostData(0)] * 3)
        drafts = [module.generate() for _ in range(10)]
        module.reinforce({draft_id: float(post.x) for draft_id, post in drafts})
        return module, module.gradient(logits)

    logits = np.array([[0.5, -1.0, 0.2]])
    _, plain = gradient()
    module, both = gradient(entropy_weight=0.3, entropy_posts=5.0, kl_weight=0.2)
    logs = log_softmax(logits)
    added = 0.3 * np.exp(-10 / 5) * entropy_gradient(logs)
    added -= 0.2 * divergence_gradient(logs, log_softmax(module.reference))
    np.testing.assert_allclose(both - plain, added, atol=1e-12)


def test_the_reference_of_the_divergence_is_the_warm_started_policy():
    module = CategoricalModule(range(3), kl_weight=1.0, seed=0)
    module.mimic([PostData(2)] * 5)
    np.testing.assert_array_equal(module.reference, module.logits)
    warm = module.logits
    ((draft_id, _),) = module.generate_many(1)
    module.reinforce({draft_id: 1.0})
    np.testing.assert_array_equal(module.reference, warm)


def test_mimicking_brings_the_probabilities_to_the_shares():
    posts = [PostData(x) for x in "aaabc" * 20]
    module = CategoricalModule("abcd", seed=0)
    for _ in range(100):
        for post in posts:
            module.mimic([post])
    shares = np.exp(log_softmax(module.logits))[0]
    np.testing.assert_allclose(shares, [0.6, 0.2, 0.2, 0.0], atol=0.05)


def test_several_posts_of_the_same_content_all_count():
    module = CategoricalModule(range(2), rate=0.5, seed=0)
    module._drafts = {0: ([0], [0], np.log(0.5)), 1: ([0], [0], np.log(0.5)), 2: ([0], [1], 0.0)}
    module.reinforce({0: 1.0, 1: 1.0, 2: 0.0})
    assert module.logits[0, 0] > module.logits[0, 1]


def test_a_lone_score_is_compared_with_the_scores_before_it():
    module = CategoricalModule(range(2), seed=0)
    for score in (5.0, 5.0, 9.0):
        ((draft_id, post),) = module.generate_many(1)
        before = module.logits.copy()
        module.reinforce({draft_id: score})
    gain = module.logits - before
    assert gain[0, post.x] > 0


@given(st.integers(0, 2**32))
def test_a_sequence_module_writes_posts_of_its_codec(seed):
    module = SequenceModule(SEQUENCES, seed=seed)
    for _, post in module.generate_many(20):
        assert SEQUENCES.decode(SEQUENCES.encode(post.x)) == post.x


def test_a_sequence_module_mimics_whole_posts():
    module = SequenceModule(SEQUENCES, mimic_rate=1.0, seed=0)
    for _ in range(200):
        module.mimic([PostData((1, 4, 0, 4)), PostData((1, 3, 2))])
    written = [post.x for _, post in module.generate_many(200)]
    assert {*written} <= {(1, 4, 0, 4), (1, 3, 2)} or (
        np.mean([x in {(1, 4, 0, 4), (1, 3, 2)} for x in written]) > 0.9
    )


def test_a_sequence_module_refuses_what_is_no_post_of_its_codec():
    with pytest.raises(UnencodablePost, match="must be a sequence of tokens from 0 to 4"):
        SequenceModule(SEQUENCES, seed=0).mimic([PostData((0, 4))])


def test_the_entropy_shown_is_that_of_the_first_choice():
    module = SequenceModule(SEQUENCES, mimic_rate=1.0, seed=0)
    assert module.metrics()["entropy"] == pytest.approx(np.log(5))
    for _ in range(300):
        module.mimic([PostData((1, 4, 0, 4))])
    assert module.metrics()["entropy"] < 0.2
