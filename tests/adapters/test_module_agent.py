import uuid

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given
from hypothesis import strategies as st
from parts import WallFace

from kilroy_gym import (
    FaceEnv,
    FaceVectorEnv,
    KilroyFace,
    KilroyModule,
    ModuleAgent,
    PostData,
    ScorePending,
)
from kilroy_gym.codecs import BinaryCodec
from kilroy_gym.modules import BernoulliModule

ENV = "Kilroy-Bernoulli-v0"


class Notes(KilroyModule):
    """Writes its own draft numbers and notes what it is reinforced with."""

    def __init__(self, name=lambda number: number):
        self.name, self.drafts, self.reinforced, self.mimicked = name, 0, [], []

    def generate(self):
        self.drafts += 1
        return self.name(self.drafts), PostData(self.drafts)

    def mimic(self, posts):
        self.mimicked += [post.x for post in posts]
        return self

    def reinforce(self, scores):
        self.reinforced += scores.items()
        return self


class LateFace(KilroyFace):
    """Scores a post with its content, after so many questions in vain as ``delays`` says."""

    def __init__(self, delays=(0,), post_id=lambda number: number):
        self.delays, self.make_id = delays, post_id
        self.waits, self.posts, self.contents = {}, {}, []

    def scrap(self, limit=None):
        yield from ((self.make_id(-i), PostData(i)) for i in range(1, 4))

    def post(self, data):
        post_id = self.make_id(len(self.contents))
        self.waits[post_id] = self.delays[len(self.contents) % len(self.delays)]
        self.posts[post_id] = data.x
        self.contents.append(data.x)
        return post_id

    def score(self, post_id):
        self.waits[post_id] -= 1
        if self.waits[post_id] >= 0:
            raise ScorePending
        return float(self.posts[post_id])


class StillClock:
    """A clock whose sleeps take no time."""

    def __init__(self):
        self.now = 0.0

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


IDS = {
    "int": lambda number: number,
    "str": lambda number: f"post-{number}",
    "tuple": lambda number: ("post", number),
    "uuid": lambda number: uuid.UUID(int=number % 2**128),
}


@pytest.mark.parametrize("post_id", IDS.values(), ids=IDS)
@pytest.mark.parametrize("draft_id", IDS.values(), ids=IDS)
@pytest.mark.parametrize("vector", [True, False], ids=["vector", "scalar"])
def test_every_draft_earns_its_own_score_whatever_the_ids_are(post_id, draft_id, vector):
    face = LateFace(post_id=post_id)
    env = FaceVectorEnv(face, 5) if vector else FaceEnv(face)
    module = Notes(draft_id)
    ModuleAgent(module, env).learn(20)
    assert module.reinforced == [(draft_id(n), float(n)) for n in range(1, 21)]


@given(
    delays=st.lists(st.integers(0, 3), min_size=1, max_size=7),
    slots=st.integers(1, 4),
    steps=st.integers(1, 3),
    rounds=st.integers(1, 8),
)
def test_without_waiting_every_score_reinforces_its_own_draft_exactly_once(
    delays, slots, steps, rounds
):
    env = FaceVectorEnv(LateFace(tuple(delays)), slots, wait=False, clock=StillClock())
    module = Notes(lambda number: f"draft-{number}")
    seen, posts = [], slots * steps * rounds
    ModuleAgent(module, env, update_rate=slots * steps).learn(posts, seen.append)
    made = range(1, posts + 1)
    assert sorted(module.reinforced) == sorted((f"draft-{n}", float(n)) for n in made)
    scores = {i: s for r in seen for i, s in zip(r.post_ids, r.scores, strict=True) if s}
    arrived = [item for played in seen for item in played.arrived.items()]
    assert sorted([*scores.items(), *arrived]) == [(n - 1, float(n)) for n in made]


def test_scores_that_arrive_rounds_later_are_not_waited_for():
    env = FaceVectorEnv(LateFace((3,)), 2, wait=False, clock=StillClock())
    seen = []
    ModuleAgent(Notes(), env).learn(10, seen.append)
    assert [len(played.posts) for played in seen] == [2] * 5 + [0]
    assert [played.arrived for played in seen[:4]] == [{}, {}, {}, {0: 1.0, 1: 2.0}]


def test_a_round_on_a_scalar_environment_is_update_rate_posts():
    module, rounds = Notes(), []
    agent = ModuleAgent(module, FaceEnv(LateFace()), update_rate=3)
    agent.learn(10, rounds.append)
    assert [len(played.posts) for played in rounds] == [3, 3, 3]
    assert [played.number for played in rounds] == [1, 2, 3]


def test_the_same_seed_gives_the_same_run_on_one_post_a_step_and_a_round_a_step():
    def trained(env):
        env.reset(seed=5)
        return ModuleAgent(BernoulliModule(seed=3), env).learn(60).module.p

    assert trained(gym.make(ENV)) == trained(gym.make_vec(ENV, num_envs=10))


def test_a_callback_that_returns_false_stops_the_run():
    module = Notes()
    ModuleAgent(module, FaceVectorEnv(LateFace(), 2)).learn(100, lambda played: played.number < 3)
    assert len(module.reinforced) == 6


def test_a_module_that_returns_a_new_object_goes_on_with_it():
    class Fresh(Notes):
        def reinforce(self, scores):
            fresh = Fresh()
            fresh.drafts, fresh.reinforced = self.drafts, [*self.reinforced, *scores.items()]
            return fresh

        def mimic(self, posts):
            fresh = Fresh()
            fresh.mimicked = [*self.mimicked, *posts]
            return fresh

    module = Fresh()
    agent = ModuleAgent(module, FaceVectorEnv(LateFace(), 2)).mimic([PostData(1)]).learn(6)
    assert agent.module is not module
    assert len(agent.module.reinforced) == 6
    assert module.reinforced == []


@pytest.mark.parametrize("method", ["mimic", "reinforce"])
def test_a_module_that_returns_something_else_is_told_so(method):
    module = Notes()
    setattr(module, method, lambda _: None)
    agent = ModuleAgent(module, FaceVectorEnv(LateFace(), 2))
    with pytest.raises(TypeError, match=rf"{method} must give a KilroyModule.*got None"):
        agent.mimic([PostData(1)]).learn(2)


def test_two_drafts_with_one_id_are_refused_before_anything_is_posted():
    face = LateFace()
    agent = ModuleAgent(Notes(lambda number: 7), FaceVectorEnv(face, 2))
    with pytest.raises(ValueError, match="two drafts the same id, 7"):
        agent.learn(2)
    assert face.contents == []


def test_predict_follows_the_signature_of_stable_baselines3():
    agent = ModuleAgent(BernoulliModule(seed=0), gym.make_vec(ENV, num_envs=4))
    actions, state = agent.predict(np.ones((4, 1), np.float32), None, None, deterministic=True)
    assert actions.shape == (4,)
    assert state is None
    action, state = agent.predict(np.ones(1, np.float32), "state")
    assert action in (0, 1)
    assert state == "state"


def test_drafts_made_outside_of_learning_are_dropped():
    module = BernoulliModule(seed=0)
    ModuleAgent(module, gym.make(ENV)).predict(np.ones(1, np.float32))
    assert module.state()["drafts"] == []


def test_a_saved_agent_goes_on_bit_for_bit(tmp_path):
    def agent():
        env = gym.make_vec(ENV, num_envs=10)
        env.reset(seed=1)
        return ModuleAgent(BernoulliModule(seed=2), env)

    unstopped = agent().learn(100).learn(100).module.state()
    agent().learn(100).save(tmp_path / "agent.json")
    loaded = ModuleAgent.load(tmp_path / "agent.json", BernoulliModule(), agent()._env)
    assert loaded.learn(100).module.state() == unstopped


def test_a_save_that_fails_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "agent.json"
    agent = ModuleAgent(BernoulliModule(), gym.make(ENV))
    agent.save(path)
    before = path.read_bytes()
    agent.module.p = object()
    with pytest.raises(TypeError, match="object"):
        agent.save(path)
    assert path.read_bytes() == before


def test_a_module_without_state_cannot_be_saved_and_the_error_says_what_to_add(tmp_path):
    with pytest.raises(NotImplementedError, match=r"Notes.*state\(\) and set_state\(\)"):
        ModuleAgent(Notes(), FaceEnv(LateFace())).save(tmp_path / "agent.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"module": "BernoulliModule"}'])
def test_a_file_that_is_no_agent_is_refused(tmp_path, content):
    path = tmp_path / "agent.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="is not a saved agent"):
        ModuleAgent.load(path, BernoulliModule(), gym.make(ENV))


def test_an_agent_of_another_module_is_refused(tmp_path):
    ModuleAgent(BernoulliModule(), gym.make(ENV)).save(tmp_path / "agent.json")
    with pytest.raises(ValueError, match="holds a BernoulliModule, not a Notes"):
        ModuleAgent.load(tmp_path / "agent.json", Notes(), gym.make(ENV))


def test_an_observation_reaches_the_modules_that_use_it():
    class Seeing(Notes):
        uses_observation = True

        def generate(self, observation=None):
            self.seen = observation
            return super().generate()

    module = Seeing()
    ModuleAgent(module, FaceVectorEnv(LateFace(), 2)).learn(2)
    assert module.seen == 0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: ModuleAgent(Notes(), gym.make("CartPole-v1")),
            TypeError,
            "not a Kilroy environment",
        ),
        (lambda: ModuleAgent(Notes(), "CartPole-v1"), TypeError, "must be a Gymnasium environment"),
        (lambda: ModuleAgent("p", gym.make(ENV)), TypeError, "must give a KilroyModule, got 'p'"),
        (
            lambda: ModuleAgent(Notes(), gym.make_vec(ENV, 2, vectorization_mode="sync")),
            ValueError,
            "SAME_STEP",
        ),
        (
            lambda: ModuleAgent(Notes(), FaceVectorEnv(LateFace(), 4), update_rate=6),
            ValueError,
            "multiple of the environment's 4 slots, got 6",
        ),
        (
            lambda: ModuleAgent(Notes(), FaceEnv(LateFace()), update_rate=0),
            ValueError,
            "update_rate must be an integer of at least 1, got 0",
        ),
        (
            lambda: ModuleAgent(Notes(), FaceVectorEnv(LateFace(), 10)).learn(9),
            ValueError,
            "a round makes 10 posts, so a budget of 9 allows none",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_separate_audiences_play_too():
    env = gym.make_vec(
        ENV,
        3,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
    )
    env.reset(seed=0)
    assert ModuleAgent(BernoulliModule(seed=0), env).learn(300).module.p > 0.9


def test_it_plays_through_gymnasiums_wrappers():
    env = gym.wrappers.RecordEpisodeStatistics(FaceEnv(LateFace(), None))
    module = Notes()
    ModuleAgent(module, env, update_rate=2).learn(4)
    assert len(module.reinforced) == 4


def test_codec_turns_contents_into_actions():
    class BinaryFace(LateFace):
        def post(self, data):
            assert type(data.x) is bool
            return super().post(data)

    face = BinaryFace()
    module = BernoulliModule(p=1.0, seed=0)
    ModuleAgent(module, FaceVectorEnv(face, 3, BinaryCodec())).learn(3)
    assert face.contents == [True] * 3


@pytest.mark.parametrize("callback", [3, [print]])
def test_what_is_no_callback_is_refused_before_anything_is_posted(callback):
    face = LateFace()
    agent = ModuleAgent(Notes(), FaceVectorEnv(face, 2))
    with pytest.raises(TypeError, match=r"must be a function of a Round, got .*; nothing"):
        agent.learn(10, callback=callback)
    assert face.contents == []


@pytest.mark.parametrize(
    "draft",
    [PostData(1), (PostData(1), 0), ({}, PostData(1)), (0, 1), (0, PostData(1), 2), None],
    ids=str,
)
def test_what_is_no_draft_is_named_and_nothing_is_posted(draft):
    class Wrong(KilroyModule):
        def generate(self):
            return draft

        def mimic(self, posts):
            return self

        def reinforce(self, scores):
            return self

    face = WallFace()
    agent = ModuleAgent(Wrong(), FaceVectorEnv(face, 2))
    with pytest.raises(TypeError, match=r"Wrong.generate must return \(draft id, PostData\)"):
        agent.learn(2)
    assert face.posts == []
