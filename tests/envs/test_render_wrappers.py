"""Gymnasium's own wrappers that record and show, around one feed for many slots."""

import os

import gymnasium as gym
import pytest
from playing import every_id

ENV = "Kilroy-Bernoulli-v0"


@every_id
def test_every_slot_is_given_the_frame_of_the_one_feed(env_id):
    env = gym.make_vec(env_id, 3, render_mode="rgb_array")
    env.reset(seed=0)
    env.step(env.action_space.sample())
    frames = env.render()
    assert len(frames) == 3
    assert all(frame is frames[0] for frame in frames)


@pytest.mark.filterwarnings("ignore:.*autoreset mode is same-step")
def test_rounds_are_recorded_as_a_video(tmp_path):
    pytest.importorskip("moviepy")
    env = gym.make_vec(ENV, 3, render_mode="rgb_array")
    videos = {"video_folder": str(tmp_path / "videos"), "video_length": 4}
    env = gym.wrappers.vector.RecordVideo(env, step_trigger=lambda step: step == 0, **videos)
    env.reset(seed=0)
    for _ in range(6):
        env.step(env.action_space.sample())
    env.close()
    (video,) = (tmp_path / "videos").glob("*.mp4")
    assert video.stat().st_size > 1000


def test_posts_are_recorded_as_a_video(tmp_path):
    pytest.importorskip("moviepy")
    env = gym.make(ENV, render_mode="rgb_array")
    env = gym.wrappers.RecordVideo(
        env, str(tmp_path / "videos"), episode_trigger=lambda episode: episode == 0
    )
    for _ in range(3):
        env.reset(seed=0)
        env.step(1)
    env.close()
    (video,) = (tmp_path / "videos").glob("*.mp4")
    assert video.stat().st_size > 1000


@pytest.mark.filterwarnings("ignore:.*pkg_resources.*")
def test_rounds_are_shown_in_a_window(monkeypatch):
    pytest.importorskip("cv2")
    monkeypatch.setitem(os.environ, "SDL_VIDEODRIVER", "dummy")
    monkeypatch.setitem(os.environ, "PYGAME_HIDE_SUPPORT_PROMPT", "1")
    pytest.importorskip("pygame")
    env = gym.wrappers.vector.HumanRendering(gym.make_vec(ENV, 3, render_mode="rgb_array"))
    env.reset(seed=0)
    env.step(env.action_space.sample())
    assert env.window.get_size() == (400, 200)
    env.close()
