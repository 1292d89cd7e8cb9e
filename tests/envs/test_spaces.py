import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import batch_space, iterate
from parts import ID_MAKERS, WallFace

from kilroy_gym import FaceEnv, FaceVectorEnv, PostData
from kilroy_gym.envs import PostSpace


@pytest.mark.parametrize("post", [PostData(1), PostData("text", context=object())])
def test_every_post_is_in_the_space(post):
    assert PostSpace().contains(post)


@pytest.mark.parametrize("other", [True, 1, "text", None, PostData])
def test_nothing_else_is(other):
    assert not PostSpace().contains(other)


def test_all_post_spaces_are_equal():
    assert PostSpace() == PostSpace(seed=1) == pickle.loads(pickle.dumps(PostSpace()))
    assert PostSpace() != gym.spaces.Discrete(1)


def test_it_cannot_make_posts_up_and_names_the_codecs():
    with pytest.raises(NotImplementedError, match=r"BinaryCodec.*CategoricalCodec.*BoxCodec"):
        PostSpace().sample()


def test_a_batch_of_posts_is_an_action_of_a_vector_environment():
    space = batch_space(PostSpace(), 3)
    posts = (PostData(1), PostData("a"), PostData(None))
    assert space.contains(posts)
    assert not space.contains(posts[:2])
    assert tuple(iterate(space, posts)) == posts


@pytest.mark.parametrize("make_id", ID_MAKERS.values(), ids=ID_MAKERS)
def test_both_vector_environments_play_without_a_codec(make_id):
    faces = [WallFace(make_id=make_id) for _ in range(2)]
    separate = SyncVectorEnv(
        [lambda face=face: FaceEnv(face) for face in faces],
        autoreset_mode=AutoresetMode.SAME_STEP,
    )
    together = FaceVectorEnv(WallFace(make_id=make_id), 2)
    posts = (PostData(1), PostData(2, context="mine"))
    for env in (separate, together):
        assert env.action_space == batch_space(PostSpace(), 2)
        env.reset(seed=0)
        _, rewards, terminated, _, infos = env.step(posts)
        np.testing.assert_array_equal(rewards, [1.0, 2.0])
        assert terminated.all()
        assert infos["final_info"]["post_id"].shape == (2,)
    assert [face.posts for face in faces] == [[posts[0]], [posts[1]]]
    assert together.face.posts == list(posts)
