"""What an environment shows, of one post a step and of one round a step."""

import numpy as np
import pytest
from parts import ID_MAKERS, MoodyAudience, WallFace, moody_face

from kilroy_gym import FaceEnv, FaceVectorEnv, PostData
from kilroy_gym.faces import SimulatedFace


def moody_env(seed=None, **kwargs):
    face = SimulatedFace(MoodyAudience(), seed)
    return FaceEnv(face, face.codec, **kwargs)


def test_ansi_renders_the_feed():
    env = FaceEnv(WallFace(make_id=ID_MAKERS["str"]), render_mode="ansi")
    assert env.render() == ""
    env.step(PostData(0.5))
    assert env.render() == "     +0.5  0.5  (post post/0)"


def test_human_prints_each_post_as_it_is_made(capsys):
    env = FaceEnv(WallFace(), render_mode="human")
    env.step(PostData(1))
    env.step(PostData(2))
    assert env.render() is None
    assert capsys.readouterr().out == "       +1  1  (post 0)\n       +2  2  (post 1)\n"


def test_rgb_array_changes_with_the_scores():
    env = FaceEnv(WallFace(), render_mode="rgb_array")
    empty = env.render()
    env.step(PostData(1))
    assert (env.render().shape, env.render().dtype) == (empty.shape, np.uint8)
    assert (env.render() != empty).any()


def test_starting_over_clears_the_feed():
    env = moody_env(render_mode="ansi")
    env.step(1)
    env.reset()
    assert env.render() != ""
    env.reset(seed=0)
    assert env.render() == ""


def test_without_a_mode_nothing_is_rendered_or_kept():
    env = FaceEnv(WallFace())
    env.step(PostData(1))
    assert env.render() is None


def test_ansi_renders_one_feed_and_fills_in_late_scores():
    face = WallFace(asks=lambda number: 2 - number)
    env = FaceVectorEnv(face, 2, wait=False, render_mode="ansi")

    def shown():
        text, again = env.render()
        assert text == again
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


def test_rgb_array_renders_one_picture_for_all_slots():
    face = moody_face()
    env = FaceVectorEnv(face, 2, face.codec, render_mode="rgb_array")
    empty, _ = env.render()
    env.step([0, 1])
    picture, again = env.render()
    assert picture is again
    assert (picture.dtype, picture.shape) == (np.uint8, empty.shape)
    assert (picture != empty).any()
