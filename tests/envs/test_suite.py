"""What holds for every environment id that is registered."""

import json
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.utils.env_checker import data_equivalence as same
from gymnasium.vector import AutoresetMode
from parts import ManualClock

from kilroy_gym.audiences.zigzag import STOP
from kilroy_gym.envs import SimulatedEnv, SimulatedVectorEnv
from kilroy_gym.envs.suite import AUDIENCES, audience_class, register

every_id = pytest.mark.parametrize("env_id", AUDIENCES)
VARIANTS = [
    ("Kilroy-Topics-v0", {"topics": 50, "dispersion": 0.3, "relation": -0.5}),
    ("Kilroy-Tone-v0", {"scales": 3, "noise": 0.0}),
    ("Kilroy-Timing-v0", {"topics": 2, "hours_between": 168}),
    ("Kilroy-Drift-v0", {"jump_every": 0, "period": 50}),
    ("Kilroy-Growth-v0", {"followers": 1e9, "posts": 3}),
    ("Kilroy-Delayed-v0", {"longest": 0, "topics": 40}),
    ("Kilroy-Zigzag-v0", {"vocabulary": 4, "length": 2}),
    ("Kilroy-ZigzagSteps-v0", {"vocabulary": 20, "length": 7}),
]
SAME_STEP = {"autoreset_mode": AutoresetMode.SAME_STEP}


def play(env, steps=20, seed=0):
    """Returns all that happens from a reset on; actions are the space's own samples."""
    return [env.reset(seed=seed), *play_on(env, steps, seed)]


def play_on(env, steps, seed):
    env.action_space.seed(seed)
    for _ in range(steps):
        happened = env.step(env.action_space.sample())
        yield happened
        if not isinstance(env, gym.vector.VectorEnv) and happened[2]:
            yield env.reset()


def shape_of(info):
    """Returns the keys of an info with the types of the values, and the masks themselves."""
    return {
        key: shape_of(value)
        if isinstance(value, dict)
        else value.tolist()
        if key.startswith("_")
        else (value.dtype, value.shape)
        for key, value in info.items()
    }


def finish(env):
    """Finishes a post in every slot with one step."""
    action = env.action_space.sample()
    return env.step(np.full_like(action, STOP) if env.unwrapped.composed else action)


def test_every_kilroy_id_is_of_the_table():
    assert {env_id for env_id in gym.registry if env_id.startswith("Kilroy")} == set(AUDIENCES)


def test_registering_again_changes_nothing():
    before = {env_id: gym.spec(env_id) for env_id in AUDIENCES}
    register()
    assert all(gym.spec(env_id) is before[env_id] for env_id in AUDIENCES)


@every_id
def test_gymnasiums_checker_passes(env_id):
    check_env(gym.make(env_id).unwrapped)


@every_id
def test_stable_baselines_checker_passes(env_id):
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    checker.check_env(gym.make(env_id, render_mode="rgb_array"))


@pytest.mark.parametrize(("env_id", "kwargs"), VARIANTS)
def test_both_checkers_pass_for_other_arguments(env_id, kwargs):
    check_env(gym.make(env_id, **kwargs).unwrapped)
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    checker.check_env(gym.make(env_id, render_mode="rgb_array", **kwargs))


@pytest.mark.parametrize(("env_id", "kwargs"), VARIANTS)
def test_arguments_go_through_json_too(env_id, kwargs):
    spec = gym.make(env_id, **kwargs).spec
    assert same(play(gym.make(EnvSpec.from_json(spec.to_json()))), play(gym.make(spec)))


@every_id
def test_the_spec_goes_through_json_and_pickle(env_id):
    spec = gym.make(env_id, post_rate=0).spec
    json.loads(spec.to_json())
    for other in (EnvSpec.from_json(spec.to_json()), pickle.loads(pickle.dumps(spec))):
        assert other == spec
        assert same(play(gym.make(other)), play(gym.make(env_id)))


@every_id
def test_the_name_without_a_version_works_with_gymnasiums_notice(env_id):
    name = env_id.rsplit("-v", 1)[0]
    with pytest.warns(UserWarning, match=f"latest versioned environment `{env_id}`"):
        env = gym.make(name)
    assert same(play(env), play(gym.make(env_id)))


@every_id
def test_the_id_works_with_the_package_in_front(env_id):
    assert isinstance(gym.make(f"kilroy_gym:{env_id}").unwrapped, SimulatedEnv)


@every_id
def test_the_same_seed_gives_the_same_trajectory(env_id):
    env = gym.make(env_id)
    first = play(env)
    assert same(play(env), first)
    assert same(play(gym.make(env_id)), first)


@every_id
@pytest.mark.parametrize(
    "how", [{}, {"vectorization_mode": "sync", "vector_kwargs": SAME_STEP}, {"wait": False}]
)
def test_the_same_seed_gives_the_same_trajectory_in_make_vec(env_id, how):
    env = gym.make_vec(env_id, num_envs=3, **how)
    first = play(env)
    assert same(play(env), first)
    assert same(play(gym.make_vec(env_id, num_envs=3, **how)), first)


@every_id
def test_make_vec_makes_one_audience(env_id):
    env = gym.make_vec(env_id, num_envs=3)
    assert isinstance(env, SimulatedVectorEnv)
    assert env.spec.id == env_id
    assert env.num_envs == 3
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


@every_id
def test_a_round_equals_the_same_posts_one_after_another(env_id):
    scalar, vector = gym.make(env_id), gym.make_vec(env_id, num_envs=4)
    scalar.reset(seed=0)
    vector.reset(seed=0)
    vector.action_space.seed(0)
    written = [[] for _ in range(4)]
    for _ in range(10):
        actions = vector.action_space.sample()
        _, rewards, terminated, _, infos = vector.step(actions)
        for slot, action in enumerate(actions):
            written[slot].append(action)
            if not terminated[slot]:
                assert rewards[slot] == 0
                continue
            scalar.reset()
            *_, (observation, reward, ended, _, info) = map(scalar.step, written[slot])
            assert ended
            assert reward == rewards[slot]
            assert np.array_equal(observation, infos["final_obs"][slot])
            assert info == {
                key: values[slot]
                for key, values in infos["final_info"].items()
                if not key.startswith("_")
            }
            written[slot] = []


@every_id
def test_posting_and_playing_arrays_are_the_same(env_id):
    """With a feed or with times a post is made of every action; else none is."""
    assert same(play(gym.make(env_id, render_mode="ansi")), play(gym.make(env_id)))
    timed = gym.make_vec(env_id, num_envs=3, score_delay_s=1.0, clock=ManualClock())
    assert same(play(timed), play(gym.make_vec(env_id, num_envs=3)))


@every_id
def test_without_waiting_nothing_is_lost(env_id):
    env, waiting = (gym.make_vec(env_id, num_envs=3, wait=wait) for wait in (False, True))
    came, expected = {}, {}
    for (_, rewards, _, _, infos), (_, scores, _, _, final) in zip(
        play(env)[1:], play(waiting)[1:], strict=True
    ):
        assert ("final_info" in infos) == ("final_info" in final)
        came.update(infos["arrived"])
        if "final_info" not in infos:
            continue
        sent = infos["_final_info"]
        ids = infos["final_info"]["post_id"]
        expected.update(zip(ids[sent].tolist(), scores[sent].tolist(), strict=True))
        known = sent & ~infos["final_info"]["pending"]
        came.update(zip(ids[known].tolist(), rewards[known].tolist(), strict=True))
    came.update(env.unwrapped.drain())
    assert came == expected


@every_id
def test_the_info_has_the_keys_of_sync_vector_env(env_id):
    separate = gym.make_vec(env_id, num_envs=2, vectorization_mode="sync", vector_kwargs=SAME_STEP)
    together = gym.make_vec(env_id, num_envs=2)
    assert separate.observation_space == together.observation_space
    assert separate.action_space == together.action_space
    for ours, theirs in zip(play(together), play(separate), strict=True):
        assert shape_of(ours[-1]) == shape_of(theirs[-1])


@every_id
def test_record_episode_statistics_reports_one_episode_a_post(env_id):
    env = gym.wrappers.RecordEpisodeStatistics(gym.make(env_id))
    scores, steps = [], 0
    for happened in play(env)[1:]:
        if len(happened) == 5:
            _, reward, ended, _, info = happened
            steps += 1
            if ended:
                scores.append(reward)
                assert (info["episode"]["r"], info["episode"]["l"]) == (reward, steps)
                steps = 0
    assert list(env.return_queue) == scores


@pytest.mark.skipif(
    tuple(map(int, gym.__version__.split(".")[:2])) < (1, 4),
    reason="Gymnasium's vector wrapper took every mode for NEXT_STEP (its pull request 1624)",
)
@every_id
def test_vector_record_episode_statistics_reports_one_episode_a_post(env_id):
    env = gym.wrappers.vector.RecordEpisodeStatistics(gym.make_vec(env_id, num_envs=3))
    posts = 0
    for _, rewards, terminated, _, infos in play(env)[1:]:
        posts += terminated.sum()
        if terminated.any():
            assert infos["episode"]["r"].tolist() == rewards.tolist()
            assert infos["_episode"].tolist() == terminated.tolist()
    assert env.episode_count == posts


@every_id
def test_a_warm_start_changes_no_later_audience_draw(env_id):
    env = gym.make(env_id)
    cold = play(env)[1:]
    env.reset(seed=0)
    posts = list(env.get_wrapper_attr("scrap")(30))
    assert len(posts) == 30
    assert same(list(play_on(env, 20, 0)), cold)


@every_id
@pytest.mark.parametrize("make", [gym.make, lambda i: gym.make_vec(i, num_envs=2)])
def test_a_snapshot_goes_on_alike_and_changes_nothing(env_id, make):
    env, reference = make(env_id), make(env_id)
    for one in (env, reference):
        play(one, steps=3)
    actions = [env.action_space.sample() for _ in range(5)]
    twin = env.unwrapped.snapshot()
    copied = [twin.step(action) for action in actions]
    play(twin, seed=9)
    going_on = [env.unwrapped.step(action) for action in actions]
    assert same(going_on, copied)
    assert same(going_on, [reference.unwrapped.step(action) for action in actions])


@every_id
@pytest.mark.parametrize("mode", ["ansi", "human", "rgb_array"])
@pytest.mark.parametrize("vector", [False, True])
def test_every_render_mode_shows_what_was_posted(env_id, mode, vector, capsys):
    env = (
        gym.make_vec(env_id, num_envs=2, render_mode=mode)
        if vector
        else gym.make(env_id, render_mode=mode)
    )
    env.reset(seed=0)
    finish(env)
    frame = env.render()
    printed = capsys.readouterr().out
    if mode == "human":
        assert frame is None
        assert len(printed.splitlines()) == (2 if vector else 1)
        return
    assert printed == ""
    frame = frame[0] if vector else frame
    if mode == "ansi":
        assert "(post 0)" in frame
    else:
        assert (frame.shape, frame.dtype) == ((200, 400, 3), np.uint8)


@every_id
def test_every_environment_takes_timing_and_a_clock(env_id):
    clock = ManualClock()
    env = gym.make(env_id, post_rate=1.0, score_delay_s=2.0, clock=clock)
    env.reset(seed=0)
    finish(env)
    assert clock.now == 2.0
    env = gym.make_vec(env_id, num_envs=3, post_rate=1.0, score_delay_s=2.0, clock=clock)
    env.reset(seed=0)
    finish(env)
    assert clock.now == 2.0 + 4.0


@every_id
def test_the_page_of_an_environment_is_complete(env_id):
    page = gym.make(env_id).unwrapped.__doc__
    for section in ("Description", "Action Space", "Observation Space", "Rewards",
                    "Starting State", "Episode End", "Arguments", "Version History"):  # fmt: skip
        assert f"## {section}\n" in page
    assert env_id in page


@every_id
def test_an_action_outside_the_space_is_refused(env_id):
    env = gym.make(env_id)
    env.reset(seed=0)
    with pytest.raises(gym.error.InvalidAction, match="action"):
        env.step(None)


@pytest.mark.parametrize("name", ["NobodyAudience", "Audience.", "Response", "np", ""])
def test_an_unknown_audience_is_refused_with_those_there_are(name):
    with pytest.raises(ValueError, match=r"audience must be one of \[.*'BernoulliAudience'"):
        audience_class(name)


def test_an_unknown_argument_of_an_audience_is_refused():
    with pytest.raises(TypeError, match="audience_size"):
        gym.make("Kilroy-Bernoulli-v0", audience_size=3)
