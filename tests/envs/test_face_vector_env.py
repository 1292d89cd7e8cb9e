import copy

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st
from parts import ID_MAKERS, Delayed, ManualClock, MoodyAudience, WallFace, moody_face

from kilroy_gym import FaceEnv, FaceVectorEnv, PostData
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


def test_a_step_is_a_round_on_one_face():
    face = WallFace()
    env = FaceVectorEnv(face, 3, BinaryCodec(), observation="discrete")
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
        results += [info, env.step(actions)[-1]]
    before_theirs, theirs, before_ours, ours = results
    assert_same_kind(before_theirs, before_ours)
    assert_same_kind(theirs, ours)
    assert_same_kind(theirs["final_info"], ours["final_info"])
    assert separate.metadata["autoreset_mode"] is together.metadata["autoreset_mode"]


def assert_same_kind(theirs, ours):
    assert set(ours) == set(theirs)
    for key, value in theirs.items():
        assert type(ours[key]) is type(value)
        if isinstance(value, np.ndarray):
            assert (ours[key].dtype, ours[key].shape) == (value.dtype, value.shape), key


def test_a_face_built_on_the_simulated_one_scores_in_its_own_way():
    class Generous(SimulatedFace):
        def score(self, post_id):
            return 100.0

    face = Generous(MoodyAudience())
    assert FaceVectorEnv(face, 2, face.codec).step([0, 1])[1].tolist() == [100.0, 100.0]


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
    final_info = first[-1]["final_info"]
    for array in (*first[:4], *(v for k, v in final_info.items() if not k.startswith("_"))):
        array[:] = 0
    assert env.step([0, 1])[2].all()


def test_a_mask_that_is_written_on_changes_no_other():
    face = moody_face()
    env = FaceVectorEnv(face, 2, face.codec)
    infos = env.step([0, 1])[-1]
    for mask in (infos["_final_info"], infos["_final_obs"], infos["final_info"]["_post_id"]):
        assert mask.all()
        mask[:] = False
    assert env.step([0, 1])[-1]["_final_info"].all()
