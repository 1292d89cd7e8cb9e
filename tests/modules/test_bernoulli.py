import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym import PostData
from kilroy_gym.modules import BernoulliModule
from kilroy_gym.storage.packing import pack, unpack


def posts(*xs):
    return [PostData(x) for x in xs]


@given(
    p=st.floats(0, 1),
    rate=st.floats(1e-6, 10),
    rounds=st.lists(st.lists(st.floats(-1e6, 1e6), max_size=5), max_size=5),
)
def test_p_stays_a_probability_whatever_the_scores(p, rate, rounds):
    module = BernoulliModule(p, reinforce_rate=rate, seed=0)
    for scores in rounds:
        ids = [draft_id for draft_id, _ in module.generate_many(len(scores))]
        module.reinforce(dict(zip(ids, scores, strict=True)))
        assert 0 <= module.p <= 1


@given(p=st.floats(0, 1), rate=st.floats(1e-6, 1), xs=st.lists(st.booleans(), min_size=1))
def test_mimic_moves_towards_the_share_of_true(p, rate, xs):
    module = BernoulliModule(p, mimic_rate=rate)
    share = np.mean(xs)
    assert module.mimic(posts(*xs)) is module
    assert abs(module.p - share) <= abs(p - share) + 1e-12
    assert module.p == pytest.approx(p + rate * (share - p))


def test_mimicking_the_notebooks_posts_gives_the_notebooks_p():
    module = BernoulliModule()
    for _ in range(100):
        for number in range(100):
            module.mimic(posts(number % 3 == 0))
    assert module.p == 0.34001284216836875


@given(
    p=st.floats(0.1, 0.9),
    count=st.integers(1, 10),
    seed=st.integers(0, 99),
    scores=st.lists(st.floats(-1, 1), min_size=10, max_size=10),
)
def test_reinforce_steps_along_the_mean_over_all_posts(p, count, seed, scores):
    module = BernoulliModule(p, reinforce_rate=0.05, seed=seed)
    drafts = module.generate_many(count)
    expected = np.mean([(post.x - p) * score for (_, post), score in zip(drafts, scores)])  # noqa: B905
    assert module.reinforce({i: s for (i, _), s in zip(drafts, scores)}) is module  # noqa: B905
    assert module.p == pytest.approx(p + 0.05 * expected)


def test_no_scores_change_nothing():
    assert BernoulliModule(0.3).reinforce({}).p == 0.3


@pytest.mark.parametrize(("p", "x"), [(0, False), (1, True)])
def test_a_certain_module_always_writes_the_same(p, x):
    drafts = BernoulliModule(p).generate_many(50)
    assert {post.x for _, post in drafts} == {x}
    assert type(drafts[0][1].x) is bool


def test_true_is_written_with_probability_p():
    xs = [post.x for _, post in BernoulliModule(0.3, seed=0).generate_many(10_000)]
    assert np.mean(xs) == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / 10_000))


def test_the_same_seed_writes_the_same_and_a_generator_is_a_seed():
    def write(seed):
        return BernoulliModule(seed=seed).generate_many(50)

    assert write(1) == write(1) == write(np.random.default_rng(1))
    assert write(1) != write(2)


def test_a_draft_is_forgotten_once_it_is_reinforced():
    module = BernoulliModule(seed=0)
    (late, _), (now, _), (dropped, _) = module.generate_many(3)
    module.reinforce({now: 1.0})
    module.forget([dropped, "never written"])
    assert [draft_id for draft_id, _ in module.state()["drafts"]] == [late]
    with pytest.raises(KeyError):
        module.reinforce({now: 1.0})


def test_a_module_goes_on_from_its_state_as_if_it_had_never_stopped():
    module = BernoulliModule(0.4, seed=3)
    (draft_id, _), *_ = module.generate_many(5)
    other = BernoulliModule(0.9, seed=7)
    other.set_state(unpack(json.loads(json.dumps(pack(module.state())))))
    for one in (module, other):
        one.reinforce({draft_id: 0.5})
    assert other.metrics() == module.metrics() == {"p": module.p}
    assert other.generate_many(20) == module.generate_many(20)


@pytest.mark.parametrize(
    "arguments",
    [{"p": -0.1}, {"p": 1.1}, {"p": float("nan")}, {"mimic_rate": 0}, {"mimic_rate": 1.1},
     {"reinforce_rate": 0}, {"reinforce_rate": float("inf")}, {"reinforce_rate": float("nan")}],
    ids=str,
)  # fmt: skip
def test_an_argument_out_of_range_is_named(arguments):
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=f"{name} must be .* got {value}"):
        BernoulliModule(**arguments)
