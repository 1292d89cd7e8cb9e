"""Rounds that do not wait for their scores."""

from hypothesis import given
from hypothesis import strategies as st
from parts import ID_MAKERS, Delayed, MoodyAudience, WallFace, moody_face

from kilroy_gym import FaceVectorEnv, PostData
from kilroy_gym.codecs import BinaryCodec


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
