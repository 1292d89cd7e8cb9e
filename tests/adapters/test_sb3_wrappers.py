"""What is around an environment: clones see and act through it, and so do evaluations."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorWrapper
from gymnasium.wrappers import (
    AddRenderObservation,
    ClipAction,
    FlattenObservation,
    FrameStackObservation,
    NormalizeObservation,
    RecordEpisodeStatistics,
    RescaleAction,
    RescaleObservation,
    TransformAction,
    TransformObservation,
)
from gymnasium.wrappers import vector as vector_wrappers
from parts import ListFace
from stable_baselines3 import A2C, PPO, SAC
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack, VecMonitor, VecNormalize

from kilroy_gym import FaceEnv, FaceVectorEnv, KilroyTrainer, PostData
from kilroy_gym.adapters.sb3 import KilroyVecEnv, SB3Agent
from kilroy_gym.adapters.sb3.played import Played
from kilroy_gym.codecs import BinaryCodec, BoxCodec
from kilroy_gym.storage.packing import pack, unpack
from kilroy_gym.testing import check_agent

SAME_STEP = AutoresetMode.SAME_STEP
ZERO, ONE = np.float32(0), np.float32(1)
SMALL = {"n_steps": 4, "device": "cpu", "seed": 0}


class HoursFace(ListFace):
    """Has the posts of a list, shows one of 24 hours, and keeps what is posted."""

    observation_space = Box(0.0, 23.0, (1,), np.float32)

    def score(self, post_id):
        return 0.0

    def observe(self, count):
        return np.full((count, 1), 23.0, np.float32)


def hours(*numbers):
    return np.array(numbers, np.float32)[:, None]


def env_of(codec=None, posts=(), **kwargs):
    return FaceEnv(HoursFace(posts), codec or BinaryCodec(), **kwargs)


def played(env):
    return Played(env if isinstance(env, (KilroyVecEnv, DummyVecEnv)) else KilroyVecEnv(env))


def two_of(env):
    return DummyVecEnv([lambda: by_24(env), lambda: by_24(env_of())])


def by_24(env):
    return TransformObservation(env, lambda hour: hour / 24, Box(0.0, 1.0, (1,), np.float32))


@pytest.mark.parametrize("slots", [None, 2])
def test_a_round_reports_what_was_sent_whatever_wrappers_made_of_the_action(slots):
    face = HoursFace()
    if slots:
        env = FaceVectorEnv(face, slots, BinaryCodec())
        env = vector_wrappers.TransformAction(env, lambda actions: 1 - actions)
    else:
        env = TransformAction(FaceEnv(face, BinaryCodec()), lambda action: 1 - action, None)
    reported = []
    agent = SB3Agent.of(A2C, env, 0)
    agent.learn(20, callback=lambda played: reported.extend(post.x for post in played.posts))
    assert reported == face.posted
    assert len(reported) == 20


def test_separate_environments_report_their_posts_in_the_order_of_the_slots():
    faces = [HoursFace() for _ in range(3)]
    env = SyncVectorEnv(
        [
            lambda face=face: TransformAction(FaceEnv(face, BinaryCodec()), lambda a: 1 - a, None)
            for face in faces
        ],
        autoreset_mode=SAME_STEP,
    )
    rounds = []
    SB3Agent.of(A2C, env, 0).learn(30, callback=rounds.append)
    assert [[post.x for post in played.posts] for played in rounds] == [
        list(each) for each in zip(*[face.posted for face in faces], strict=True)
    ]


@pytest.mark.parametrize(("algorithm", "slots"), [(PPO, None), (PPO, 4), (SAC, None)])
def test_a_clone_acts_through_the_wrapper_that_rescales_its_actions(algorithm, slots):
    # SAC fits a spread, and posts that are all the same have none.
    spread = 0.5 if algorithm is SAC else 0.0
    drawn = np.random.default_rng(0).normal(2.0, spread, 100)
    face = HoursFace([PostData(float(x)) for x in drawn])
    codec = BoxCodec(0.0, 10.0)
    if slots:
        env = vector_wrappers.RescaleAction(FaceVectorEnv(face, slots, codec), ZERO, ONE)
    else:
        env = by_24(RescaleAction(FaceEnv(face, codec), ZERO, ONE))
    agent = KilroyTrainer(env, SB3Agent.of(algorithm, env, 0), seed=0).fine_tune().agent
    action, _ = agent.predict(hours(0.5)[0], deterministic=True)
    assert action == pytest.approx(0.2, abs=0.05)
    env.reset()
    env.step(np.tile(action, (slots, 1)) if slots else action)
    assert face.posted[0] == pytest.approx(2.0, abs=0.5)


def test_actions_are_taken_back_through_several_wrappers():
    env = ClipAction(
        RescaleAction(RescaleAction(env_of(BoxCodec(0.0, 10.0)), ZERO, 4 * ONE), ZERO, ONE)
    )
    actions = np.array([[-1.0], [0.0], [1.0]], np.float32)
    assert played(env).reverted(actions).tolist() == [[0.0], [0.5], [1.0]]
    assert played(env).reverted(actions).dtype == np.float32


def test_a_wrapper_that_says_how_it_is_inverted_is_taken():
    class Flip(gym.ActionWrapper):
        def action(self, action):
            return 1 - action

        def revert_action(self, action):
            return 1 - action

    assert played(Flip(env_of())).reverted(np.array([0, 1, 1])).tolist() == [1, 0, 0]


def test_actions_that_were_put_into_bins_are_taken_back_to_the_nearest():
    if not hasattr(gym.wrappers, "DiscretizeAction"):
        pytest.skip("this version of Gymnasium has no DiscretizeAction")
    bins = played(gym.wrappers.DiscretizeAction(env_of(BoxCodec(0.0, 1.0)), 10))
    assert bins.reverted(np.array([[-0.95], [0.95]], np.float32)).tolist() == [0, 9]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda env: TransformAction(env, lambda action: 1 - action, None),
        lambda env: vector_wrappers.TransformAction(as_rounds(env), lambda actions: 1 - actions),
    ],
)
def test_a_wrapper_that_cannot_be_inverted_is_refused_by_name_before_anything_is_learned(wrap):
    env = wrap(env_of(posts=[PostData(True)]))
    agent = SB3Agent.of(A2C, env, 0)
    before = [parameter.clone() for parameter in agent.model.policy.parameters()]
    with pytest.raises(TypeError, match=r"through TransformAction, .*revert_action\(action\)"):
        KilroyTrainer(env, agent).fine_tune()
    after = agent.model.policy.parameters()
    assert all((old == new).all() for old, new in zip(before, after, strict=True))


def as_rounds(env):
    return FaceVectorEnv(env.face, 2, env.codec)


class Halved(VectorWrapper):
    """Halves what is observed, in every slot."""

    def reset(self, *, seed=None, options=None):
        observations, infos = self.env.reset(seed=seed, options=options)
        return observations / 2, infos


@pytest.mark.parametrize(
    ("wrap", "seen"),
    [
        (by_24, [[0.5], [0.25]]),
        (lambda env: RescaleObservation(env, np.float32(0), np.float32(46)), [[24.0], [12.0]]),
        (lambda env: FlattenObservation(RecordEpisodeStatistics(by_24(env))), [[0.5], [0.25]]),
        (lambda env: Monitor(by_24(env)), [[0.5], [0.25]]),
        (lambda env: FrameStackObservation(env, 2), [[[12.0], [12.0]], [[6.0], [6.0]]]),
        (
            lambda env: FrameStackObservation(env, 2, padding_type="zero"),
            [[[0.0], [12.0]], [[0.0], [6.0]]],
        ),
        (lambda env: Halved(as_rounds(env)), [[6.0], [3.0]]),
        (lambda env: two_of(env), [[0.5], [0.25]]),
        (
            lambda env: VecFrameStack(two_of(env), 3),
            [[0.0, 0.0, 0.5], [0.0, 0.0, 0.25]],
        ),
        (lambda env: VecMonitor(VecNormalize(two_of(env), norm_obs=False)), [[0.5], [0.25]]),
    ],
)
def test_contexts_are_seen_as_the_policy_sees_observations(wrap, seen):
    env = wrap(env_of())
    around = env if not isinstance(env, (gym.Env, gym.vector.VectorEnv)) else KilroyVecEnv(env)
    found = Played(around)
    np.testing.assert_allclose(found.observed(hours(12, 6)), seen)
    # The same as when it plays, where 23 is observed at the beginning of every post.
    np.testing.assert_allclose(found.observed(hours(23))[0], around.reset()[0])


def test_a_clone_on_scaled_observations_plays_on_the_same_scale():
    contexts = hours(*range(24))
    posts = [PostData(bool(hour > 12), contexts[hour]) for hour in range(24)] * 5
    env = by_24(env_of(posts=posts))
    agent = KilroyTrainer(env, SB3Agent.of(A2C, env, 0), seed=0).fine_tune().agent
    actions, _ = agent.predict(contexts / 24, deterministic=True)
    assert actions[[0, 3, 6, 18, 21, 23]].tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("kind", ["gymnasium", "stable_baselines3"])
def test_what_normalizes_learns_from_the_contexts_and_is_then_kept(kind):
    contexts = hours(*range(24))
    posts = [PostData(bool(hour > 12), contexts[hour]) for hour in range(24)] * 5
    env = env_of(posts=posts)
    if kind == "gymnasium":
        env = layer = NormalizeObservation(env)
        vec = KilroyVecEnv(env)
    else:
        vec = layer = VecNormalize(KilroyVecEnv(env))
    agent = SB3Agent(A2C("MlpPolicy", vec, **SMALL))
    agent.fine_tune(posts, 40)
    assert layer.obs_rms.mean == pytest.approx([11.5], abs=0.01)
    assert layer.obs_rms.count == pytest.approx(120, abs=0.1)
    seen = Played(vec).observed(contexts)
    assert seen.mean() == pytest.approx(0, abs=0.01)
    assert seen.std() == pytest.approx(1, abs=0.01)
    assert layer.obs_rms.count == pytest.approx(120, abs=0.1)


def test_what_normalizes_and_no_longer_learns_stays_as_it_is():
    vec = VecNormalize(KilroyVecEnv(env_of()), training=False)
    agent = SB3Agent(A2C("MlpPolicy", vec, **SMALL))
    agent.fine_tune([PostData(True, hours(20)[0])], 2)
    assert vec.obs_rms.count == pytest.approx(0, abs=0.001)


class Warmed(gym.Wrapper):
    """Makes a post before it shows anything."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        observation, _, _, _, info = self.env.step(1)
        return observation, info


@pytest.mark.parametrize(
    ("wrap", "reason"),
    [
        (AddRenderObservation, r"AddRenderObservation cannot be copied .* \(it shows what"),
        (Warmed, "through Warmed is not known, since it needs the environment itself"),
    ],
)
def test_a_wrapper_that_does_more_than_look_is_refused_by_name_and_nothing_is_posted(wrap, reason):
    env = wrap(env_of(render_mode="rgb_array"))
    with pytest.raises(TypeError, match=reason):
        played(env).observed(hours(1))
    assert env.unwrapped.face.posted == []


class Locked(gym.ObservationWrapper):
    """Holds what cannot be copied."""

    def __init__(self, env):
        super().__init__(env)
        self.file = (each for each in ())

    def observation(self, observation):
        return observation


def test_a_wrapper_that_cannot_be_copied_is_refused_by_name():
    with pytest.raises(TypeError, match="Locked cannot be copied"):
        played(Locked(env_of())).observed(hours(1))


def test_wrappers_that_remember_are_refused_where_posts_are_composed():
    vec = VecFrameStack(DummyVecEnv([lambda: gym.make("Kilroy-ZigzagSteps-v0")]), 2)
    agent = SB3Agent(A2C("MlpPolicy", vec, **SMALL))
    with pytest.raises(TypeError, match="VecFrameStack shows earlier tokens"):
        agent.mimic([PostData((1, 9, 0, 2))])


@pytest.mark.parametrize("slots", [1, 3])
def test_predictions_apply_the_wrappers_of_stable_baselines3_and_change_nothing(slots):
    env = FaceVectorEnv(HoursFace(), slots, BinaryCodec())
    vec = VecNormalize(VecFrameStack(KilroyVecEnv(env), 3))
    agent = SB3Agent(A2C("MlpPolicy", vec, **SMALL))
    vec.obs_rms.update(np.array([[0, 0, 1.0], [0, 0, 3.0]]))
    mean = vec.obs_rms.mean.copy()
    assert agent.predict(hours(1)[0])[0].shape == ()
    actions, _ = agent.predict(hours(*range(7)), deterministic=True)
    stacked = np.concatenate([np.zeros((7, 2), np.float32), hours(*range(7))], axis=1)
    expected, _ = agent.model.predict(vec.normalize_obs(stacked), deterministic=True)
    np.testing.assert_array_equal(actions, expected)
    np.testing.assert_array_equal(vec.obs_rms.mean, mean)


def test_a_move_to_another_environment_keeps_the_wrappers_of_stable_baselines3():
    vec = VecNormalize(KilroyVecEnv(FaceVectorEnv(HoursFace(), 2, BinaryCodec())))
    agent = SB3Agent(A2C("MlpPolicy", vec, **SMALL)).learn(16)
    face = HoursFace()
    agent.set_env(FaceVectorEnv(face, 2, BinaryCodec()))
    moved = agent.model.get_vec_normalize_env()
    assert moved.obs_rms.count == pytest.approx(18, abs=0.1)
    assert len(agent.learn(16) and face.posted) == 16
    assert moved.obs_rms.count > 18 + 16


@pytest.mark.parametrize("norm_obs", [True, False])
def test_a_state_holds_what_normalizes(norm_obs):
    def agent(norm_obs=norm_obs):
        env = FaceVectorEnv(HoursFace(), 2, BinaryCodec())
        vec = VecNormalize(KilroyVecEnv(env), norm_obs=norm_obs)
        return SB3Agent(A2C("MlpPolicy", vec, **SMALL))

    first = agent().learn(16)
    again = agent()
    again.set_state(unpack(pack(first.state())))
    old, new = (each.model.get_vec_normalize_env() for each in (first, again))
    for name in ("obs_rms", "ret_rms") if norm_obs else ("ret_rms",):
        kept, found = getattr(old, name), getattr(new, name)
        assert (kept.count, kept.mean, kept.var) == (found.count, found.mean, found.var)
    assert again.learn(16).updates > first.updates
    with pytest.raises(ValueError, match="put the same wrappers around it"):
        agent(not norm_obs).set_state(first.state())


def test_an_agent_keeps_its_promises_through_wrappers_as_well():
    env = RescaleAction(gym.make("Kilroy-Tone-v0"), ZERO, ONE)
    check_agent(SB3Agent.of(PPO, env, 0, n_steps=4, batch_size=4, n_epochs=1), env)
