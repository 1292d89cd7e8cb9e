"""Learners mimic more often what scored better, whoever learns and wherever the posts are."""

import math

import numpy as np
import pytest

from kilroy_gym import FaceVectorEnv, KilroyFace, KilroyTrainer, PostData
from kilroy_gym.audiences import TopicsAudience
from kilroy_gym.codecs import BinaryCodec, CategoricalCodec, TextCodec
from kilroy_gym.data import FileCachingDatasetFactory
from kilroy_gym.faces import FaceWrapper, LoggedFace, RetryingFace, ReviewedFace, SimulatedFace
from kilroy_gym.modules import BernoulliModule, CategoricalModule, NgramModule

SHARE_OF_BETTER = 75.5 / (75.5 + 25.5)
"""Of 50 equal posts that all scored better than 50 others: by the mean ranks of the halves."""


class ScoredFace(KilroyFace):
    """Has existing posts with scores."""

    def __init__(self, scored):
        self.scored = list(scored)

    def scrap(self, limit=None):
        return ((post_id, post) for post_id, post, _ in self.scrap_scored(limit))

    def scrap_scored(self, limit=None):
        yield from ((n, PostData(x), score) for n, (x, score) in enumerate(self.scored[:limit]))

    def post(self, data):
        raise AssertionError("nothing is posted in a warm start")

    def score(self, post_id):
        raise AssertionError("nothing was posted")


def halves(better, worse):
    """Fifty posts of each, in turns; their scores are far from each other."""
    return ScoredFace([(better, 1e6), (worse, -3.0)] * 50)


def share(module, better):
    return [post.x for _, post in module.generate_many(2000)].count(better) / 2000


@pytest.mark.parametrize("factory", [None, FileCachingDatasetFactory()], ids=["memory", "file"])
@pytest.mark.parametrize(
    ("better", "worse", "module"),
    [
        (True, False, BernoulliModule),
        ("dogs", "cats", lambda seed: CategoricalModule(["cats", "dogs"], seed=seed)),
        ("dogs", "cats", lambda seed: NgramModule(backoff=0.01, seed=seed)),
    ],
    ids=["Bernoulli", "categorical", "n-gram"],
)
def test_a_module_mimics_by_the_ranks_of_the_scores(better, worse, module, factory):
    def trained(**settings):
        trainer = KilroyTrainer(halves(better, worse), module(seed=0), factory, seed=1)
        return share(trainer.fine_tune(epochs=30, shuffle=True, **settings).module, better)

    assert trained() == pytest.approx(0.5, abs=0.1)
    assert trained(weight_by_score=True) == pytest.approx(SHARE_OF_BETTER, abs=0.1)
    assert trained(weight_by_score=lambda scores: scores > 0) > 0.9


@pytest.mark.parametrize("factory", [None, FileCachingDatasetFactory()], ids=["memory", "file"])
def test_a_model_of_stable_baselines3_is_cloned_by_the_ranks_of_the_scores(factory):
    th = pytest.importorskip("torch")
    sb3 = pytest.importorskip("stable_baselines3")
    from kilroy_gym.adapters.sb3 import SB3Agent

    def trained(**settings):
        env = FaceVectorEnv(halves(True, False), 10, BinaryCodec())
        agent = SB3Agent.of(sb3.PPO, env, 0, n_steps=2, batch_size=20)
        KilroyTrainer(env, agent, factory, seed=0).fine_tune(**settings)
        with th.no_grad():
            nothing = th.ones(1, 1)
            return float(agent.model.policy.get_distribution(nothing).distribution.probs[0, 1])

    assert trained() == pytest.approx(0.5, abs=0.03)
    assert trained(weight_by_score=True) == pytest.approx(SHARE_OF_BETTER, abs=0.03)


class Memo(BernoulliModule):
    """Notes what it is given."""

    def __init__(self):
        super().__init__()
        self.given = []

    def mimic(self, posts):
        self.given.append([post.x for post in posts])
        return self


def given_to(face, seed=0, factory=None, codec=None, **settings):
    trainer = KilroyTrainer(face, Memo(), factory, codec=codec, seed=seed)
    trainer.fine_tune(**{"epochs": 2, "weight_by_score": True, **settings})
    return trainer.module.given


def test_the_same_seed_mimics_the_same_posts_and_another_others():
    face = ScoredFace([(number, number % 7) for number in range(100)])
    for settings in ({}, {"shuffle": True, "batch_size": 8}):
        first = given_to(face, 3, **settings)
        assert first == given_to(face, 3, FileCachingDatasetFactory(), **settings)
        assert first != given_to(face, 4, **settings)


def test_an_epoch_has_as_many_posts_as_were_found():
    face = ScoredFace([(number, number) for number in range(100)])
    seen = []
    assert len(given_to(face, callback=seen.append)) == 200
    assert [epoch.posts for epoch in seen] == [100, 100]
    assert len(given_to(face, limit=10)) == 20


def test_scores_stay_with_their_posts_where_others_are_skipped():
    scored = [("long" * 9, 50), ("best", 9), ("", 7), ("unknown", None), ("bad", 1)]
    got = []

    def weigh(scores):
        got.extend(scores)
        return np.nan_to_num(scores) == 9

    given = given_to(ScoredFace(scored), codec=TextCodec(8), weight_by_score=weigh)
    assert got[0::2] == [9, 1]
    assert math.isnan(got[1])
    assert given == [["best"]] * 6


class Known(FaceWrapper):
    """Tells what posts of the community are expected to score, in the closed form."""

    def scrap_scored(self, limit=None):
        means = self.face.audience.means
        yield from ((number, post, means[post.x]) for number, post in self.face.scrap(limit))


def test_a_wrapper_can_tell_the_scores_of_a_simulated_face():
    def expected(**settings):
        face = Known(SimulatedFace(TopicsAudience(focus=0.5), seed=0))
        codec = CategoricalCodec(range(10))
        trainer = KilroyTrainer(face, CategoricalModule(range(10), seed=0), codec=codec, seed=0)
        trainer.fine_tune(epochs=20, limit=500, **settings)
        drafts = trainer.module.generate_many(1000)
        return face.unwrapped.audience.means[[post.x for _, post in drafts]].mean()

    assert expected(weight_by_score=True) > 1.2 * expected()


def test_scores_come_through_the_wrappers_of_a_live_face(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text("text,score\n" + "good,5\nbad,1\n" * 50)
    face = ReviewedFace(RetryingFace(LoggedFace(path)), allow_repeats=False)
    trainer = KilroyTrainer(face, NgramModule(backoff=0.01, seed=0), seed=0)
    trainer.fine_tune(epochs=5, weight_by_score=True)
    assert share(trainer.module, "good") == pytest.approx(SHARE_OF_BETTER, abs=0.03)


def test_without_weights_a_run_is_as_it_was():
    def given(face):
        return given_to(face, weight_by_score=False, shuffle=True)

    class Unscored(ScoredFace):
        scrap_scored = None

        def scrap(self, limit=None):
            yield from ((number, PostData(x)) for number, (x, _) in enumerate(self.scored))

    scored = [(number, number) for number in range(20)]
    assert given(ScoredFace(scored)) == given(Unscored(scored))


def test_a_face_that_does_not_know_the_scores_is_named_before_anything_is_read():
    face = SimulatedFace(TopicsAudience())
    for one in (face, FaceWrapper(face)):
        reason = rf"{type(one).__name__} has no scrap_scored\(limit\).* without weight_by_score"
        with pytest.raises(TypeError, match=reason):
            given_to(one)


@pytest.mark.parametrize("score", [math.nan, math.inf, "7", True])
def test_a_score_that_is_no_finite_number_names_its_post(score):
    with pytest.raises(ValueError, match="score of the scraped post 1 must be a finite number"):
        given_to(ScoredFace([(True, 1), (True, score)]))


def test_a_scrape_of_something_else_says_what_is_expected():
    class Unscored(ScoredFace):
        def scrap_scored(self, limit=None):
            yield 0, PostData(True)

    reason = r"scrap_scored must yield \(post id, PostData, score or None\), got \(0, PostData"
    with pytest.raises(TypeError, match=reason):
        given_to(Unscored([]))


@pytest.mark.parametrize(
    ("settings", "kind", "reason"),
    [
        ({"weight_by_score": "rank"}, TypeError, "must be True, False, or a function"),
        ({"weight_by_score": lambda scores: -scores}, ValueError, "at least 0, got -1.0"),
        ({"weight_by_score": lambda scores: scores[:1]}, ValueError, "each of 2 scores"),
    ],
)
def test_what_are_no_weights_is_refused_before_anything_is_mimicked(settings, kind, reason):
    trainer = KilroyTrainer(ScoredFace([(True, 0), (False, 1)]), Memo())
    with pytest.raises(kind, match=reason):
        trainer.fine_tune(**settings)
    assert trainer.module.given == []


def test_scores_that_are_all_unknown_cannot_weigh():
    with pytest.raises(ValueError, match=r"no post.s score is known"):
        given_to(ScoredFace([(True, None)] * 3))
