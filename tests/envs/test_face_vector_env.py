import copy

import numpy as np
import pytest
from gymnasium.error import InvalidAction
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st
from parts import ID_MAKERS, ManualClock, MoodyAudience, WallFace

from kilroy_gym import FaceEnv, FaceError, FaceVectorEnv, PostData, ScorePending
from kilroy_gym.codecs import BinaryCodec, BoxCodec, CategoricalCodec
from kilroy_gym.envs.face_vector_env import id_array
from kilroy_gym.faces import SimulatedFace

rounds = st.integers(1, 5).flatmap(
    lambda slots: st.lists(
        st.lists(st.integers(0, 2), min_size=slots, max_size=slots), min_size=1, max_size=4
    )
)
paces = st.fixed_dictionaries(
    {}, optional={"post_rate": st.sampled_from([1, 2.5]), "score_delay_s": st.floats(0, 9)}
)


def moody_face(seed=0):
    return SimulatedFace(MoodyAudience(), seed)


class Delayed(SimulatedFace):
    """A simulated Face whose scores are pending when they are asked for the first time."""

    def restart(self, rng):
        self.asked = set()
        super().restart(rng)

    def score(self, post_id):
        if post_id not in self.asked:
            self.asked.add(post_id)
            raise ScorePending
        return super().score(post_id)


def test_a_step_is_a_round_on_one_face():
    face = WallFace()
    env = FaceVectorEnv(face, 3, BinaryCodec())
    observations, info = env.reset()
    assert (observations.tolist(), info) == ([0, 0, 0], {})
    observations, rewards, terminated, truncated, _ = env.step([1, 0, 1])
    assert (observations.tolist(), rewards.tolist()) == ([0, 0, 0], [1.0, 0.0, 1.0])
    assert (terminated.tolist(), truncated.tolist()) == ([True] * 3, [False] * 3)
    assert env.observation_space.contains(observations)
    assert (rewards.dtype, terminated.dtype, truncated.dtype) == (np.float64, np.bool_, np.bool_)
    assert face.posts == [PostData(True), PostData(False), PostData(True)]


@pytest.mark.parametrize("make_id", ID_MAKERS.values(), ids=ID_MAKERS)
@pytest.mark.parametrize("late", [0, 3])
def test_every_reward_belongs_to_its_own_post(make_id, late):
    face = WallFace(make_id=make_id, asks=lambda number: late * number % 4)
    env = FaceVectorEnv(face, 3, clock=face.clock)
    for start in (0, 10):
        _, rewards, _, _, infos = env.step([PostData(start + slot) for slot in range(3)])
        assert rewards.tolist() == [start, start + 1, start + 2]
        first = 0 if start == 0 else 3
        assert infos["final_info"]["post_id"].tolist() == [make_id(first + n) for n in range(3)]


@pytest.mark.parametrize("face_class", [SimulatedFace, Delayed])
@given(seed=st.integers(0, 2**32), rounds=rounds, pace=paces)
def test_a_round_equals_the_same_posts_one_after_another(face_class, seed, rounds, pace):
    faces = [face_class(MoodyAudience()) for _ in range(2)]
    clocks = [ManualClock(), ManualClock()]
    vector = FaceVectorEnv(faces[0], len(rounds[0]), faces[0].codec, **pace, clock=clocks[0])
    scalar = FaceEnv(faces[1], faces[1].codec, **pace, clock=clocks[1])
    vector.reset(seed=seed)
    scalar.reset(seed=seed)
    for actions in rounds:
        _, rewards, _, _, infos = vector.step(np.array(actions))
        steps = [scalar.step(action) for action in actions]
        assert rewards.tolist() == [reward for _, reward, *_ in steps]
        final_info = infos["final_info"]
        for key in ("post_id", "expected_score", "best_score"):
            assert final_info[key].tolist() == [info[key] for *_, info in steps]


@given(rounds=rounds, post_rate=st.floats(0, 100))
def test_a_round_on_a_live_face_equals_the_same_posts_at_the_same_times(rounds, post_rate):
    together, single = WallFace(), WallFace()
    codec = CategoricalCodec(["a", "bb", "ccc"])
    together.score_of = single.score_of = len
    vector = FaceVectorEnv(together, len(rounds[0]), codec, post_rate, clock=together.clock)
    scalar = FaceEnv(single, codec, post_rate, clock=single.clock)
    for actions in rounds:
        rewards = vector.step(actions)[1].tolist()
        assert rewards == [scalar.step(action)[1] for action in actions]
    assert together.posts == single.posts
    assert together.made_at == single.made_at


@pytest.mark.parametrize("codec", [BinaryCodec(), BoxCodec(0, 1), None])
@pytest.mark.parametrize("make_id", ID_MAKERS.values(), ids=ID_MAKERS)
def test_the_info_is_laid_out_as_sync_vector_env_lays_it_out(codec, make_id):
    separate = SyncVectorEnv(
        [lambda: FaceEnv(WallFace(make_id=make_id), codec)] * 2,
        autoreset_mode=AutoresetMode.SAME_STEP,
    )
    together = FaceVectorEnv(WallFace(make_id=make_id), 2, codec)
    assert_same_layout(separate, together, codec)


def test_the_info_of_a_simulated_face_is_laid_out_like_that_too():
    def make():
        face = moody_face()
        return FaceEnv(face, face.codec)

    separate = SyncVectorEnv([make] * 2, autoreset_mode=AutoresetMode.SAME_STEP)
    face = moody_face()
    assert_same_layout(separate, FaceVectorEnv(face, 2, face.codec), face.codec)


def assert_same_layout(separate, together, codec):
    posts = (PostData(0), PostData(1))
    separate.action_space.seed(0)
    actions = posts if codec is None else separate.action_space.sample()
    results = []
    for env in (separate, together):
        _, info = env.reset(seed=0)
        assert info == {}
        results.append(env.step(actions)[-1])
    theirs, ours = results
    assert_same_kind(theirs, ours)
    assert_same_kind(theirs["final_info"], ours["final_info"])
    assert separate.metadata["autoreset_mode"] is together.metadata["autoreset_mode"]


def assert_same_kind(theirs, ours):
    assert ours
    assert set(ours) == set(theirs)
    for key, value in theirs.items():
        assert type(ours[key]) is type(value)
        if isinstance(value, np.ndarray):
            assert (ours[key].dtype, ours[key].shape) == (value.dtype, value.shape), key


@given(
    slots=st.integers(1, 4),
    asks=st.lists(st.integers(0, 3), min_size=1, max_size=24),
    make_id=st.sampled_from([*ID_MAKERS.values()]),
)
def test_without_waiting_every_score_is_given_exactly_once(slots, asks, make_id):
    face = WallFace(lambda x: x / 2, make_id, lambda number: asks[number % len(asks)])
    env = FaceVectorEnv(face, slots, wait=False, clock=face.clock)
    given_scores: list[tuple[object, float]] = []
    made = 0
    for _ in range(6):
        posts = [PostData(made + slot) for slot in range(slots)]
        _, rewards, _, _, infos = env.step(posts)
        ids, pending = infos["final_info"]["post_id"].tolist(), infos["final_info"]["pending"]
        assert ids == [make_id(made + slot) for slot in range(slots)]
        assert rewards[pending].tolist() == [0.0] * pending.sum()
        assert not set(infos["arrived"]) & set(ids)
        given_scores += [
            (post_id, reward)
            for post_id, reward, late in zip(ids, rewards, pending, strict=True)
            if not late
        ]
        given_scores += infos["arrived"].items()
        made += slots
    assert face.clock.now == 0
    given_scores += env.drain().items()
    assert len(given_scores) == made
    assert dict(given_scores) == {make_id(number): number / 2 for number in range(made)}
    assert env.drain() == {}


def test_a_face_built_on_the_simulated_one_scores_in_its_own_way():
    class Generous(SimulatedFace):
        def score(self, post_id):
            return 100.0

    face = Generous(MoodyAudience())
    assert FaceVectorEnv(face, 2, face.codec).step([0, 1])[1].tolist() == [100.0, 100.0]


def test_a_score_that_is_due_later_is_pending_until_then():
    face = WallFace()
    env = FaceVectorEnv(face, 1, BinaryCodec(), 1.0, 2.5, wait=False, clock=face.clock)
    pending, arrived = [], []
    for _ in range(4):
        *_, infos = env.step([1])
        pending += infos["final_info"]["pending"].tolist()
        arrived.append(infos["arrived"])
    assert pending == [True] * 4
    assert arrived == [{}, {}, {0: 1.0}, {1: 1.0}]
    assert env.drain() == {2: 1.0, 3: 1.0}


def test_without_waiting_a_simulated_face_says_that_nothing_is_pending():
    face = moody_face()
    *_, infos = FaceVectorEnv(face, 2, face.codec, wait=False).step([0, 1])
    assert infos["final_info"]["pending"].tolist() == [False, False]
    assert infos["arrived"] == {}


def test_starting_over_drops_what_is_pending():
    face = Delayed(MoodyAudience())
    env = FaceVectorEnv(face, 2, face.codec, wait=False)
    env.step([0, 1])
    env.reset(seed=0)
    assert env.drain() == {}


@pytest.mark.parametrize("wait", [True, False])
def test_posts_and_scores_so_far_are_in_the_error(wait):
    def score_of(x):
        if x == 2:
            raise ConnectionError("no network")
        return x

    face = WallFace(score_of, ID_MAKERS["UUID"])
    ids = [ID_MAKERS["UUID"](number) for number in range(3)]
    posts = [PostData(x) for x in (1, 2, 3)]
    with pytest.raises(FaceError, match=r"after 3 of this round's 3 posts.*1 scores") as caught:
        FaceVectorEnv(face, 3, wait=wait).step(posts)
    assert caught.value.posts == dict(zip(ids, posts, strict=True))
    assert caught.value.scores == {ids[0]: 1.0}


def test_a_truth_that_fails_loses_neither_posts_nor_scores():
    class Secretive(WallFace):
        def truth(self, post_id):
            raise LookupError("secret")

    posts = [PostData(1), PostData(2)]
    face = Secretive(asks=lambda number: number)
    env = FaceVectorEnv(face, 2, wait=False)
    with pytest.raises(FaceError, match="LookupError: secret") as caught:
        env.step(posts)
    assert caught.value.posts == dict(enumerate(posts))
    assert caught.value.scores == {0: 1.0}
    assert env.drain() == {1: 2.0}


@pytest.mark.parametrize("score", [float("nan"), float("inf"), None, "5"])
def test_a_bad_score_names_the_post(score):
    face = WallFace(lambda x: x or score, ID_MAKERS["str"])
    with pytest.raises(FaceError, match="score of post 'post/1' must be a finite number") as caught:
        FaceVectorEnv(face, 2, BinaryCodec()).step([1, 0])
    assert caught.value.scores == {"post/0": 1.0}


def test_two_posts_with_one_id_are_refused():
    with pytest.raises(FaceError, match="it gave two posts the same id, 'same'"):
        FaceVectorEnv(WallFace(make_id=lambda n: "same"), 2, BinaryCodec()).step([0, 1])


@pytest.mark.parametrize(
    "actions", [[0, 2], [0, -1], [0.0, 1.0], [0, None], [0], [0, 1, 1], [], 1, None, "ab", [[0, 1]]]
)
@pytest.mark.parametrize("simulated", [True, False])
def test_actions_that_make_no_round_are_refused_and_nothing_is_posted(actions, simulated):
    face, codec = WallFace(), BinaryCodec()
    if simulated:
        face = SimulatedFace(MoodyAudience())
        codec = face.codec = CategoricalCodec(["cats", "dogs"])
    with pytest.raises(InvalidAction):
        FaceVectorEnv(face, 2, codec).step(actions)
    assert face.post(PostData("cats" if simulated else 1)) == 0


@pytest.mark.parametrize(
    "actions", [[PostData(1)], [PostData(1)] * 3, [PostData(1), 1], PostData(1), None, [], 1]
)
def test_without_a_codec_only_a_round_of_posts_will_do(actions):
    face = WallFace()
    with pytest.raises(InvalidAction, match=r"PostData|a round has 2 actions"):
        FaceVectorEnv(face, 2).step(actions)
    assert face.posts == []


@pytest.mark.parametrize("num_envs", [0, -1, 1.0, "2", None, True])
def test_a_number_of_slots_below_one_is_refused(num_envs):
    with pytest.raises(ValueError, match="num_envs must be an integer of at least 1"):
        FaceVectorEnv(WallFace(), num_envs)


def test_a_numpy_integer_is_a_number_of_slots():
    env = FaceVectorEnv(WallFace(), np.int64(2), BinaryCodec())
    assert env.step([1, 0])[1].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", ["post_rate", "score_delay_s"])
def test_a_negative_duration_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be a number of seconds of at least 0"):
        FaceVectorEnv(WallFace(), 2, **{name: -0.1})


def test_an_unknown_render_mode_is_refused():
    with pytest.raises(ValueError, match="render_mode must be None or one of"):
        FaceVectorEnv(WallFace(), 2, render_mode="html")


@pytest.mark.parametrize("seed", [[0, 1], (0, 1), 0.5, "0"])
def test_one_audience_takes_one_seed(seed):
    face = moody_face()
    with pytest.raises(ValueError, match="one audience takes one seed"):
        FaceVectorEnv(face, 2, face.codec).reset(seed=seed)


@given(seed=st.integers(0, 2**32), rounds=rounds)
def test_a_seed_starts_a_simulated_face_over(seed, rounds):
    face = moody_face()
    env = FaceVectorEnv(face, len(rounds[0]), face.codec)

    def play():
        env.reset(seed=seed)
        return [env.step(actions)[1].tolist() for actions in rounds]

    assert play() == play()


@pytest.mark.parametrize("face_class", [SimulatedFace, Delayed])
@given(seed=st.integers(0, 2**32), rounds=rounds)
def test_a_snapshot_goes_on_alike_and_changes_nothing(face_class, seed, rounds):
    face = face_class(MoodyAudience(), seed)
    env = FaceVectorEnv(face, len(rounds[0]), face.codec, clock=ManualClock())
    env.step(rounds[0])
    twin = env.snapshot()
    copied = [twin.step(actions)[1].tolist() for actions in rounds]
    twin.reset(seed=0)
    assert [env.step(actions)[1].tolist() for actions in rounds] == copied


def test_ansi_renders_one_feed_and_fills_in_late_scores():
    face = WallFace(asks=lambda number: 2 - number)
    env = FaceVectorEnv(face, 2, wait=False, render_mode="ansi")

    def shown():
        (text,) = env.render()
        return [line.split()[0] for line in text.splitlines()]

    env.step([PostData(1), PostData(2)])
    assert shown() == ["pending", "pending"]
    env.step([PostData(3), PostData(4)])
    assert shown() == ["pending", "+2", "+3", "+4"]
    env.drain()
    assert shown() == ["+1", "+2", "+3", "+4"]


@pytest.mark.parametrize("simulated", [True, False])
def test_human_prints_each_round_as_it_is_made(simulated, capsys):
    face = moody_face() if simulated else WallFace(lambda x: 1.0)
    env = FaceVectorEnv(face, 2, MoodyAudience().codec, render_mode="human")
    env.step([0, 2])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1:] for line in lines] == [
        ["'cats'", "(post", "0)"],
        ["'news'", "(post", "1)"],
    ]
    assert env.render() is None


def test_rgb_array_renders_one_picture():
    face = moody_face()
    env = FaceVectorEnv(face, 2, face.codec, render_mode="rgb_array")
    (empty,) = env.render()
    env.step([0, 1])
    (picture,) = env.render()
    assert (picture.dtype, picture.shape) == (np.uint8, empty.shape)
    assert (picture != empty).any()


@given(st.lists(st.integers(-(2**70), 2**70) | st.text() | st.uuids() | st.tuples(st.integers())))
def test_ids_come_back_from_their_array_as_they_were(ids):
    array = id_array(ids)
    assert array.shape == (len(ids),)
    assert array.tolist() == ids


def test_arrays_handed_out_are_the_callers_own():
    face = moody_face()
    env = FaceVectorEnv(face, 2, face.codec)
    first = env.step([0, 1])
    kept = copy.deepcopy(first)
    env.step([2, 2])
    np.testing.assert_array_equal(first[1], kept[1])
    for array in (*first[:4], *first[-1]["final_info"].values()):
        array[:] = 0
    assert env.step([0, 1])[2].all()
