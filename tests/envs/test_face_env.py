import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import InvalidAction
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st
from parts import ID_MAKERS, ManualClock, MoodyAudience, WallFace

from kilroy_gym import FaceEnv, FaceError, PostData
from kilroy_gym.codecs import BinaryCodec, BoxCodec, CategoricalCodec
from kilroy_gym.envs import PostSpace
from kilroy_gym.faces import SimulatedFace


def moody_env(seed=None, **kwargs):
    face = SimulatedFace(MoodyAudience(), seed)
    return FaceEnv(face, face.codec, **kwargs)


@pytest.mark.parametrize("make_id", ID_MAKERS.values(), ids=ID_MAKERS)
def test_a_step_is_a_post_and_its_reward_the_score(make_id):
    face = WallFace(make_id=make_id)
    env = FaceEnv(face, BinaryCodec(), observation="discrete")
    assert env.reset() == (0, {})
    assert env.step(1) == (0, 1.0, True, False, {"post_id": make_id(0)})
    assert env.step(0) == (0, 0.0, True, False, {"post_id": make_id(1)})
    assert face.posts == [PostData(True), PostData(False)]


def test_flags_and_reward_are_pythons_own():
    _, reward, terminated, truncated, _ = FaceEnv(WallFace(np.float32), BinaryCodec()).step(1)
    assert (type(reward), type(terminated), type(truncated)) == (float, bool, bool)


@pytest.mark.parametrize("make_id", ID_MAKERS.values(), ids=ID_MAKERS)
def test_a_step_waits_for_a_pending_score_of_its_own_post(make_id):
    face = WallFace(lambda x: 10 * x, make_id, asks=lambda number: 3 - number)
    env = FaceEnv(face, clock=face.clock)
    steps = [env.step(PostData(x)) for x in (1, 2, 3)]
    assert [reward for _, reward, *_ in steps] == [10.0, 20.0, 30.0]
    assert [info["post_id"] for *_, info in steps] == [make_id(number) for number in range(3)]
    assert len(face.asked) == 4 + 3 + 2


def test_the_pace_is_kept():
    face = WallFace()
    env = FaceEnv(face, post_rate=2.0, score_delay_s=5.0, clock=face.clock)
    env.step(PostData(1))
    env.step(PostData(1))
    # two seconds after the post, and until it is five seconds old
    assert face.made_at == [0.0, 5.0]
    assert [when for _, when in face.asked] == [5.0, 10.0]
    assert (env.post_rate, env.score_delay_s) == (2.0, 5.0)


def test_without_a_pace_time_does_not_matter():
    face = WallFace()
    FaceEnv(face, clock=face.clock).step(PostData(1))
    assert face.clock.now == 0


def test_without_a_codec_the_action_is_the_post():
    face = WallFace()
    env = FaceEnv(face)
    post = PostData(0.5, context="mine")
    assert isinstance(env.action_space, PostSpace)
    assert env.step(post)[1] == 0.5
    assert face.posts[0] is post


@pytest.mark.parametrize(
    ("codec", "action"),
    [(BinaryCodec(), 2), (BinaryCodec(), 0.5), (BinaryCodec(), None), (BoxCodec(0, 1), [1.5]),
     (CategoricalCodec("ab"), "a"), (None, True), (None, None)],
)  # fmt: skip
def test_an_action_outside_the_space_is_refused_and_nothing_is_posted(codec, action):
    face = WallFace()
    with pytest.raises(InvalidAction, match="action"):
        FaceEnv(face, codec).step(action)
    assert face.posts == []


def test_the_spaces_of_two_environments_share_no_random_stream():
    codec = BoxCodec(0, 1)
    one, other = FaceEnv(WallFace(), codec), FaceEnv(WallFace(), codec)
    one.action_space.seed(0)
    other.action_space.seed(0)
    one.action_space.sample()
    other_first = other.action_space.sample()
    one.action_space.seed(0)
    np.testing.assert_array_equal(one.action_space.sample(), other_first)


def test_reset_never_touches_a_live_platform():
    face = WallFace()
    env = FaceEnv(face, BinaryCodec())
    env.step(1)
    env.reset(seed=0)
    env.reset()
    assert env.step(1)[-1] == {"post_id": 1}
    assert (len(face.posts), len(face.asked), face.clock.now) == (2, 2, 0.0)


def test_reset_without_a_seed_does_not_start_a_simulated_face_over():
    env = moody_env(seed=0)
    env.step(0)
    env.reset()
    assert env.step(0)[-1]["post_id"] == 1


@given(seed=st.integers(0, 2**32), actions=st.lists(st.integers(0, 2), min_size=1, max_size=6))
def test_a_seed_starts_a_simulated_face_over(seed, actions):
    env = moody_env(seed=99)
    env.reset(seed=seed)
    first = [env.step(action) for action in actions]
    env.reset(seed=seed)
    assert [env.step(action) for action in actions] == first


@given(seed=st.integers(0, 2**32), actions=st.lists(st.integers(0, 2), min_size=1, max_size=6))
def test_scraping_changes_no_later_audience_draw(seed, actions):
    cold, warm = moody_env(), moody_env()
    cold.reset(seed=seed)
    warm.reset(seed=seed)
    assert len(list(warm.scrap(20))) == 20
    assert [warm.step(action) for action in actions] == [cold.step(action) for action in actions]


@given(seed=st.integers(0, 2**32), before=st.integers(0, 3), on_copy=st.integers(1, 4))
def test_a_snapshot_goes_on_alike_and_changes_nothing(seed, before, on_copy):
    env, reference = moody_env(), moody_env()
    for one in (env, reference):
        one.reset(seed=seed)
        for _ in range(before):
            one.step(1)
    twin = env.snapshot()
    copied = [twin.step(1) for _ in range(on_copy)]
    list(twin.scrap())
    assert [env.step(1) for _ in range(on_copy)] == copied
    assert [reference.step(1) for _ in range(on_copy)] == copied
    twin.reset(seed=0)
    assert env.step(2) == reference.step(2)


def test_a_snapshot_renders_nothing(capsys):
    env = moody_env(render_mode="human")
    env.step(1)
    capsys.readouterr()
    twin = env.snapshot()
    twin.step(1)
    assert (twin.render(), capsys.readouterr().out) == (None, "")


def test_a_live_face_gives_no_snapshot():
    with pytest.raises(TypeError, match="WallFace cannot be copied: only a simulated Face"):
        FaceEnv(WallFace()).snapshot()


@pytest.mark.parametrize("score", [float("nan"), float("inf"), None, "5"])
def test_a_bad_score_names_the_post_and_hands_it_over(score):
    face = WallFace(lambda x: score, ID_MAKERS["tuple"])
    with pytest.raises(
        FaceError, match=r"score of post \('channel', 0\) must be a finite"
    ) as error:
        FaceEnv(face, BinaryCodec()).step(1)
    assert error.value.posts == {("channel", 0): PostData(True)}


def test_a_truth_that_fails_loses_neither_post_nor_score():
    class Secretive(WallFace):
        def truth(self, post_id):
            raise LookupError("secret")

    with pytest.raises(FaceError, match="LookupError: secret") as caught:
        FaceEnv(Secretive()).step(PostData(2))
    assert caught.value.posts == {0: PostData(2)}
    assert caught.value.scores == {0: 2.0}


@pytest.mark.parametrize("name", ["post_rate", "score_delay_s"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "1", None, True, 1j])
def test_what_is_no_duration_is_refused(name, value):
    with pytest.raises(ValueError, match=rf"{name}.* must be a number of at least 0"):
        FaceEnv(WallFace(), **{name: value})


@pytest.mark.parametrize("value", [0, 2, 0.5, np.float32(0.5), np.int64(2)])
def test_every_kind_of_number_is_a_duration(value):
    assert FaceEnv(WallFace(), post_rate=value).post_rate == value


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [((WallFace,), "face must be a KilroyFace"), ((None,), "face must be a KilroyFace"),
     ((WallFace(), "binary"), "codec must be a Codec or None"),
     ((WallFace(), BinaryCodec), "codec must be a Codec or None")],
)  # fmt: skip
def test_an_argument_of_another_kind_is_named(arguments, reason):
    with pytest.raises(TypeError, match=reason):
        FaceEnv(*arguments)


def test_an_unknown_render_mode_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"'ansi', 'human', 'rgb_array'.*got 'html'"):
        FaceEnv(WallFace(), render_mode="html")


@pytest.mark.parametrize("codec", [BinaryCodec(), CategoricalCodec([0.5, 1.5]), BoxCodec(0, 9)])
def test_gymnasiums_checker_passes_on_a_live_face(codec):
    env = FaceEnv(WallFace(), codec, clock=ManualClock())
    # nothing un-posts, so the ids differ between two runs
    env.spec = EnvSpec("Live-v0", entry_point=FaceEnv, nondeterministic=True)
    check_env(env, skip_render_check=True, skip_close_check=True)


@pytest.mark.parametrize("codec", [BinaryCodec(), CategoricalCodec([0.5, 1.5]), BoxCodec(0, 9)])
def test_stable_baselines_checker_passes_on_a_live_face(codec):
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    checker.check_env(FaceEnv(WallFace(), codec))
