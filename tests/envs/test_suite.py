"""What holds for every environment id that is registered."""

import json
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import InvalidAction
from gymnasium.utils.env_checker import check_env
from gymnasium.utils.env_checker import data_equivalence as same
from gymnasium.vector import AutoresetMode
from parts import ManualClock
from playing import every_id, finish, play, play_on

from kilroy_gym.envs import SimulatedEnv, SimulatedVectorEnv
from kilroy_gym.envs.suite import AUDIENCES, audience_class, register

KEYS = ("post_id", "expected_score", "best_score")
VARIANTS = [
    ("Kilroy-Topics-v0", {"topics": 50, "dispersion": 0.3, "relation": -0.5}),
    ("Kilroy-Tone-v0", {"scales": 3, "noise": 0.0}),
    ("Kilroy-Timing-v0", {"topics": 2, "hours_between": 168}),
    ("Kilroy-Drift-v0", {"jump_every": 0, "period": 50}),
    ("Kilroy-Growth-v0", {"followers": 1e9, "posts": 3}),
    ("Kilroy-Delayed-v0", {"longest": 0, "topics": 40}),
    ("Kilroy-Zigzag-v0", {"vocabulary": 4, "length": 2}),
    ("Kilroy-ZigzagSteps-v0", {"vocabulary": 20, "length": 7}),
    ("Kilroy-TextSteps-v0", {"likes": 100.0, "dispersion": 0.5}),
]


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
    env = gym.make(env_id, render_mode="rgb_array")
    if isinstance(env.action_space, gym.spaces.Text):
        pytest.skip("Stable-Baselines3 takes no texts, and its checker crashes on them")
    checker.check_env(env)


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
def test_make_vec_makes_one_audience(env_id):
    env = gym.make_vec(env_id, num_envs=3)
    assert isinstance(env, SimulatedVectorEnv)
    assert env.spec.id == env_id
    assert env.num_envs == 3
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


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


@every_id
def test_an_action_may_be_a_tensor_or_an_array_as_well_as_a_number(env_id):
    torch = pytest.importorskip("torch")
    env = gym.make(env_id).unwrapped
    env.action_space.seed(0)
    action = env.action_space.sample()
    kinds = [np.asarray(action), action]
    if not isinstance(action, str):
        kinds += [torch.as_tensor(action), torch.as_tensor(np.asarray(action))]
    if isinstance(env.action_space, gym.spaces.Discrete):
        kinds += [int(action), np.int32(action), np.uint8(action)]
    happened = []
    for kind in kinds:
        env.reset(seed=0)
        happened.append(env.step(kind))
    assert all(same(each, happened[0]) for each in happened)


@every_id
def test_reset_and_step_have_the_same_keys_of_info_as_python_numbers(env_id):
    env = gym.make(env_id)
    for happened in play(env):
        info = happened[-1]
        kinds = {key: type(value) for key, value in info.items()}
        assert kinds == {"post_id": int, "expected_score": float, "best_score": float}
    _, before = env.reset(seed=0)
    assert before == {"post_id": -1, "expected_score": 0.0, "best_score": 0.0}


@every_id
def test_a_round_tells_of_the_episodes_that_begin_what_a_reset_tells(env_id):
    env = gym.make_vec(env_id, num_envs=3)
    for _, *_, infos in play(env):
        for key, value in zip(KEYS, (-1, 0.0, 0.0), strict=True):
            assert infos[key].tolist() == [value] * 3
            assert infos[f"_{key}"].all()


@every_id
def test_the_last_scores_are_those_of_the_posts(env_id):
    env, together = gym.make(env_id), gym.make_vec(env_id, num_envs=3)
    for happened in play_steps(env):
        if len(happened) == 2:
            continue
        _, reward, ended, _, _ = happened
        scores = env.unwrapped.last_scores
        np.testing.assert_array_equal(scores, [reward if ended else np.nan])
    for _, rewards, ended, _, _ in play_steps(together):
        np.testing.assert_array_equal(together.last_scores, np.where(ended, rewards, np.nan))


def play_steps(env):
    env.reset(seed=0)
    yield from play_on(env, 20, 0)


def test_a_tensor_with_a_gradient_is_no_action_and_nothing_is_posted():
    torch = pytest.importorskip("torch")
    env = gym.make("Kilroy-Tone-v0")
    env.reset(seed=0)
    with pytest.raises(InvalidAction):
        env.step(torch.tensor([0.5], requires_grad=True))
    assert env.step(np.array([0.5], np.float32))[4]["post_id"] == 0
