import math

import gymnasium as gym
import numpy as np
import pytest
from parts import WallFace

from kilroy_gym import (
    FaceEnv,
    FaceError,
    FaceVectorEnv,
    KilroyFace,
    KilroyModule,
    KilroyTrainer,
    ModuleAgent,
    PostData,
)
from kilroy_gym.audiences import BernoulliAudience
from kilroy_gym.codecs import BinaryCodec, TextCodec, UnencodablePost
from kilroy_gym.data import FileCachingDatasetFactory
from kilroy_gym.faces import SimulatedFace
from kilroy_gym.modules import BernoulliModule, NgramModule

ENV = "Kilroy-Bernoulli-v0"


class ListFace(KilroyFace):
    """Has the contents of a list to scrap, ignores limits, and scores every post 1."""

    def __init__(self, contents=(True, False, False), score=1.0):
        self.contents, self.answer, self.sent = list(contents), score, []

    def scrap(self, limit=None):
        yield from enumerate(PostData(x) for x in self.contents)

    def post(self, data):
        self.sent.append(data.x)
        return len(self.sent) - 1

    def score(self, post_id):
        return self.answer


class Memo(KilroyModule):
    """Writes False, and notes what it is given."""

    def __init__(self):
        self.batches, self.rounds, self.drafts = [], [], 0

    def generate(self):
        self.drafts += 1
        return self.drafts, PostData(False)

    def mimic(self, posts):
        self.batches.append([post.x for post in posts])
        return self

    def reinforce(self, scores):
        self.rounds.append(dict(scores))
        return self


def test_fine_tuning_goes_through_all_posts_in_order_a_hundred_times_one_by_one():
    trainer = KilroyTrainer(ListFace(), Memo())
    assert trainer.fine_tune() is trainer
    assert trainer.module.batches == [[True], [False], [False]] * 100


def test_a_run_is_ten_rounds_of_ten_posts_one_second_apart(monkeypatch):
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    trainer = KilroyTrainer(ListFace(), Memo())
    assert trainer.run() is trainer
    assert [len(scores) for scores in trainer.module.rounds] == [10] * 10
    assert slept == [1.0] * 100


def test_batches_and_shuffling_follow_the_seed():
    def batches(seed):
        trainer = KilroyTrainer(ListFace(range(10)), Memo(), seed=seed)
        return trainer.fine_tune(epochs=2, batch_size=4, shuffle=True).module.batches

    assert batches(1) == batches(1) != batches(2)
    first = batches(1)
    assert [len(batch) for batch in first] == [4, 4, 2] * 2
    assert first[:3] != first[3:]
    assert sorted(x for batch in first[:3] for x in batch) == list(range(10))


def test_a_limit_holds_for_a_face_that_ignores_it():
    trainer = KilroyTrainer(ListFace(range(10)), Memo()).fine_tune(epochs=1, limit=4)
    assert trainer.module.batches == [[0], [1], [2], [3]]


def test_posts_without_an_action_are_skipped_and_counted():
    face = ListFace([True, "maybe", False, None])
    trainer = KilroyTrainer(face, Memo(), codec=BinaryCodec()).fine_tune(epochs=1)
    assert trainer.module.batches == [[True], [False]]
    assert trainer.skipped_posts == 2


def test_posts_that_only_the_modules_own_codec_refuses_are_skipped_too():
    face = ListFace(["good", "", "long" * 9, 7, "fine"])
    trainer = KilroyTrainer(face, NgramModule(TextCodec(10), seed=0)).fine_tune(epochs=1)
    assert trainer.skipped_posts == 3
    assert set(trainer.module.state()["posts"]) == {"good", "fine"}
    with pytest.raises(UnencodablePost, match="it is empty"):
        trainer.fine_tune(epochs=1, strict=True)


def test_strict_fine_tuning_refuses_posts_without_an_action():
    trainer = KilroyTrainer(ListFace([True, "maybe"]), Memo(), codec=BinaryCodec())
    with pytest.raises(UnencodablePost, match=r"'maybe'.*must be one of"):
        trainer.fine_tune(strict=True)
    assert trainer.module.batches == []


def test_epochs_are_reported_and_can_be_ended():
    epochs = []

    def note(epoch):
        epochs.append((epoch.number, epoch.posts, epoch.metrics))
        return epoch.number < 2

    module = BernoulliModule(p=0.5, mimic_rate=1.0)
    KilroyTrainer(ListFace([True]), module).fine_tune(callback=note)
    assert epochs == [(1, 1, {"p": 1.0}), (2, 1, {"p": 1.0})]


def test_fine_tuning_works_from_a_file_cache_too():
    memory = KilroyTrainer(ListFace(), Memo()).fine_tune(epochs=2)
    file = KilroyTrainer(ListFace(), Memo(), FileCachingDatasetFactory()).fine_tune(epochs=2)
    assert file.module.batches == memory.module.batches


@pytest.mark.parametrize(
    ("limits", "posts"),
    [
        ({"steps": 3}, 30),
        ({"steps": 3, "update_rate": 4}, 12),
        ({"posts": 35}, 30),
        ({"posts": 20, "steps": 5}, 20),
        ({"posts": 100, "steps": 5}, 50),
        ({"seconds": 3600, "posts": 40}, 40),
        ({"steps": 2, "seconds": 1e-9}, 10),
    ],
)
def test_a_run_ends_at_the_first_limit_and_never_makes_more_posts(limits, posts):
    face = ListFace()
    KilroyTrainer(face, Memo()).run(post_rate=0, **limits)
    assert len(face.sent) == posts


def test_rounds_are_reported_with_what_happened():
    rounds = []
    module = BernoulliModule(p=0.0, seed=0)
    env = gym.make_vec(ENV, num_envs=2)
    KilroyTrainer(env, module, seed=0).run(posts=4, callback=rounds.append)
    assert [played.number for played in rounds] == [1, 2]
    last = rounds[-1]
    assert last.post_ids == [2, 3]
    assert [post.x for post in last.posts] == [False, False]
    assert last.scores == [-1.0, -1.0]
    assert last.expected_scores.tolist() == [-1.0, -1.0]
    assert last.best_scores.tolist() == [1.0, 1.0]
    assert last.metrics == {"p": 0.0}


def test_runs_go_on_where_the_last_one_ended():
    trainer = KilroyTrainer(ListFace(), Memo())
    trainer.run(posts=20, post_rate=0).run(posts=5, post_rate=0, update_rate=5)
    assert [len(scores) for scores in trainer.module.rounds] == [10, 10, 5]


def test_warm_starting_changes_no_later_draw_of_the_audience():
    def scores(warm):
        played = []
        env = gym.make_vec(ENV, num_envs=5)
        trainer = KilroyTrainer(env, BernoulliModule(p=0.5, seed=7), seed=3)
        if warm:
            list(env.unwrapped.scrap(1000))
        trainer.run(posts=50, callback=lambda r: played.extend(r.scores))
        return played

    assert scores(True) == scores(False)


@pytest.mark.parametrize("make", [gym.make, lambda name: gym.make_vec(name, num_envs=10)])
def test_evaluating_is_done_on_a_copy_of_the_world(make):
    trainer = KilroyTrainer(make(ENV), BernoulliModule(p=1.0, seed=0), seed=0)
    trainer.run(posts=10)
    face = trainer.env.unwrapped.face
    posted, state = face._next_id, face._rng.bit_generator.state
    assert trainer.evaluate(25) == 1.0
    assert (face._next_id, face._rng.bit_generator.state) == (posted, state)
    assert trainer.module.state()["drafts"] == []


def test_a_live_face_is_never_evaluated_on():
    face = ListFace()
    with pytest.raises(TypeError, match="ListFace cannot be copied: only a simulated Face"):
        KilroyTrainer(face, Memo()).evaluate()
    assert face.sent == []


def test_the_same_seed_gives_the_same_run():
    def p(seed):
        env = gym.make_vec(ENV, num_envs=10)
        trainer = KilroyTrainer(env, BernoulliModule(seed=seed), seed=seed).fine_tune()
        return trainer.run(steps=3).module.p

    assert p(0) == p(0)
    assert len({p(seed) for seed in range(5)}) > 1


def test_a_face_is_trained_as_its_environment_is():
    env = FaceVectorEnv(SimulatedFace(BernoulliAudience()), 10, BinaryCodec())
    on_env = KilroyTrainer(env, BernoulliModule(seed=0), seed=0).fine_tune().run(steps=5)
    face = SimulatedFace(BernoulliAudience())
    on_face = KilroyTrainer(face, BernoulliModule(seed=0), seed=0).fine_tune()
    on_face.run(steps=5, post_rate=0)
    assert on_face.module.p == on_env.module.p


def test_an_agent_trains_as_its_module_does():
    env = FaceEnv(ListFace(), BinaryCodec())
    trainer = KilroyTrainer(env, ModuleAgent(Memo(), env)).fine_tune(epochs=1).run(steps=2)
    assert len(trainer.module.rounds) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.fine_tune(epochs=0), "epochs must be an integer of at least 1, got 0"),
        (lambda t: t.fine_tune(batch_size=-1), "batch_size must be .* got -1"),
        (lambda t: t.fine_tune(limit=0), "limit must be .* got 0"),
        (lambda t: t.fine_tune(limit=2.5), "limit must be .* got 2.5"),
        (lambda t: t.run(steps=0), "steps must be .* got 0"),
        (lambda t: t.run(posts=-5), "posts must be .* got -5"),
        (lambda t: t.run(posts=5, post_rate=0), "a round makes 10 posts, so a budget of 5"),
        (lambda t: t.run(seconds=0), "seconds must be positive, got 0"),
        (lambda t: t.run(seconds=math.nan), "seconds must be positive, got nan"),
        (lambda t: t.run(post_rate=-1), "post_rate.* must be .* at least 0, got -1"),
        (lambda t: t.run(post_rate="1"), "post_rate.* must be .* got '1'"),
        (lambda t: t.run(score_delay_s=-1), "score_delay_s must be .* got -1"),
        (lambda t: t.run(update_rate=0), "update_rate must be .* got 0"),
        (lambda t: t.run(update_rate=True), "update_rate must be .* got True"),
        (lambda t: t.evaluate(0), "posts must be .* got 0"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_posted(call, message):
    face = ListFace()
    trainer = KilroyTrainer(face, Memo())
    with pytest.raises(ValueError, match=message):
        call(trainer)
    assert face.sent == []
    assert trainer.module.batches == []


@pytest.mark.parametrize("timing", [{"post_rate": 0}, {"score_delay_s": 1}, {"wait": False}])
def test_timing_is_given_once(timing):
    trainer = KilroyTrainer(gym.make(ENV), BernoulliModule())
    with pytest.raises(ValueError, match=f"{next(iter(timing))} given twice"):
        trainer.run(**timing)


def test_a_codec_is_given_once():
    with pytest.raises(ValueError, match="codec is given twice"):
        KilroyTrainer(gym.make(ENV), BernoulliModule(), codec=BinaryCodec())


@pytest.mark.parametrize(
    ("contents", "message"),
    [([], "the scrape was empty"), (["a", "b"], r"the scrape was empty \(2 were skipped\)")],
)
def test_an_empty_scrape_is_an_error(contents, message):
    trainer = KilroyTrainer(ListFace(contents), Memo(), codec=BinaryCodec())
    with pytest.raises(ValueError, match=message):
        trainer.fine_tune()


def test_a_scrape_of_something_else_says_what_is_expected():
    class Bare(ListFace):
        def scrap(self, limit=None):
            yield PostData(True)

    with pytest.raises(TypeError, match=r"scrap must yield \(post id, PostData\), got PostData"):
        KilroyTrainer(Bare(), Memo()).fine_tune()


@pytest.mark.parametrize("score", [math.nan, math.inf, None, "7"])
def test_a_score_that_is_no_number_names_its_post_and_nothing_is_lost(score):
    face = ListFace(score=score)
    with pytest.raises(FaceError, match="score of post 0 must be a finite number") as caught:
        KilroyTrainer(face, Memo()).run(post_rate=0, update_rate=3)
    assert list(caught.value.posts) == [0, 1, 2]


def test_a_face_that_fails_in_a_round_leaves_its_posts_in_the_error():
    class Failing(ListFace):
        def post(self, data):
            if len(self.sent) == 12:
                raise ConnectionError("the line is dead")
            return super().post(data)

    trainer = KilroyTrainer(Failing(), Memo())
    with pytest.raises(FaceError, match="the line is dead") as caught:
        trainer.run(post_rate=0)
    assert list(caught.value.posts) == [10, 11]
    assert len(trainer.module.rounds) == 1  # what was learned before is kept


@pytest.mark.parametrize(
    ("face", "module", "message"),
    [
        ("face", Memo(), "face_or_env must be a KilroyFace or a Gymnasium environment, got 'face'"),
        (ListFace(), 5, "module_or_agent must be a KilroyModule or an agent .* got 5"),
        (ListFace(), Memo, "module_or_agent must be .* got <class"),
    ],
)
def test_something_else_is_refused(face, module, message):
    with pytest.raises(TypeError, match=message):
        KilroyTrainer(face, module)


def test_an_agent_of_no_module_has_no_module():
    class Coin:
        update_rate = 1

        def predict(self, observation, state=None, episode_start=None, deterministic=False):
            return np.int64(1), state

        def mimic(self, posts):
            return self

        def learn(self, total_timesteps, callback=None, progress_bar=False):
            return self

        def save(self, path):
            return None

    trainer = KilroyTrainer(gym.make(ENV), Coin())
    assert trainer.evaluate(10) == 1.0
    with pytest.raises(AttributeError, match="module"):
        _ = trainer.module


class FourMethods:
    """The agent that the documentation asks for, and nothing more."""

    def __init__(self, env):
        self.env, self.mimicked, self.made = env, 0, 0

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        return np.ones(len(observation), np.int64), state

    def mimic(self, posts):
        self.mimicked += len(posts)

    def learn(self, total_timesteps, callback=None, progress_bar=False):
        observations, _ = self.env.reset()
        while self.made < total_timesteps:
            actions, _ = self.predict(observations)
            observations, *_ = self.env.step(actions)
            self.made += len(actions)

    def save(self, path):
        raise NotImplementedError


def test_an_agent_with_four_methods_is_enough_where_the_environment_is_given():
    env = gym.make_vec("Kilroy-Bernoulli-v0", num_envs=4)
    agent = FourMethods(env)
    trainer = KilroyTrainer(env, agent).fine_tune(epochs=1)
    trainer.run(steps=3)
    assert (agent.mimicked, agent.made) == (100, 12)
    assert trainer.evaluate(20) == 1.0
    with pytest.raises(AttributeError, match="FourMethods has no module"):
        trainer.module  # noqa: B018
    with pytest.raises(TypeError, match="update_rate must be left out: FourMethods has no set_env"):
        trainer.run(steps=1, update_rate=2)


def test_an_agent_that_cannot_move_to_a_face_is_told_what_it_lacks():
    with pytest.raises(TypeError, match=r"FourMethods cannot move to it.*set_env\(env"):
        KilroyTrainer(WallFace(), FourMethods(None))
