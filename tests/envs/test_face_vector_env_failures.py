"""What a round refuses, and what it hands over when it fails."""

import numpy as np
import pytest
from gymnasium.error import InvalidAction
from parts import ID_MAKERS, MoodyAudience, WallFace, moody_face

from kilroy_gym import FaceError, FaceVectorEnv, PostData
from kilroy_gym.codecs import BinaryCodec, CategoricalCodec
from kilroy_gym.faces import SimulatedFace


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
    with pytest.raises(ValueError, match=rf"{name}.* must be a number of at least 0"):
        FaceVectorEnv(WallFace(), 2, **{name: -0.1})


def test_an_unknown_render_mode_is_refused():
    with pytest.raises(ValueError, match="render_mode must be None or one of"):
        FaceVectorEnv(WallFace(), 2, render_mode="html")


@pytest.mark.parametrize("seed", [[0, 1], (0, 1), 0.5, "0"])
def test_one_audience_takes_one_seed(seed):
    face = moody_face()
    with pytest.raises(ValueError, match="one audience takes one seed"):
        FaceVectorEnv(face, 2, face.codec).reset(seed=seed)


def test_a_post_the_audience_cannot_encode_is_named_and_those_before_it_are_handed_over():
    env = FaceVectorEnv(moody_face(), 3)
    posts = [PostData("cats"), PostData("birds"), PostData("dogs")]
    with pytest.raises(
        FaceError, match=r"UnencodablePost.*'birds'.*\('cats', 'dogs', 'news'\)"
    ) as e:
        env.step(posts)
    assert e.value.posts == {0: PostData("cats")}
