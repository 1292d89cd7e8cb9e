"""Runs that are killed at random moments, and started again each time.

``pytest tests/live/test_run_kills.py -m slow`` kills each of them 200 times.
"""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from platform_file import FilePlatform

from kilroy_gym.faces import read_journal
from kilroy_gym.live.base import CHECKPOINT, JOURNAL
from kilroy_gym.live.checkpoint import Checkpoint

HERE = Path(__file__).parent
ON_A_PLATFORM = [sys.executable, HERE / "run_script.py", "platform", "run"]
SIMULATED = [sys.executable, HERE / "simulated_script.py", "run"]


def finished(command, folder):
    """Runs without being killed."""
    folder.mkdir()
    subprocess.run(command, cwd=folder, check=True)


def killed_often(command, folder, kills):
    """Runs, is killed at random moments, and is started again until it ends by itself."""
    folder.mkdir()
    rng, count = random.Random(kills), 0
    checkpoint = folder / "run" / CHECKPOINT

    def written():
        return checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0

    while True:
        process, before = subprocess.Popen(command, cwd=folder), written()
        if count < kills:
            while process.poll() is None and written() == before:
                time.sleep(0.0002)
            time.sleep(rng.random() * 0.01)
            process.kill()
            count += process.wait() == -signal.SIGKILL
        if process.wait() == 0:
            return count


def left_by(folder):
    """Returns the last checkpoint, and the posts of the journal."""
    return Checkpoint.load(folder / "run" / CHECKPOINT), read_journal(folder / "run" / JOURNAL)


@pytest.mark.parametrize(
    ("kills", "length"), [(40, 1000), pytest.param(200, 5000, marks=pytest.mark.slow)]
)
def test_a_run_that_is_killed_ends_as_one_that_is_not(tmp_path, kills, length):
    command = [*ON_A_PLATFORM, str(length)]
    finished(command, tmp_path / "calm")
    assert killed_often(command, tmp_path / "killed", kills) == kills
    (calm, _), (killed, entries) = left_by(tmp_path / "calm"), left_by(tmp_path / "killed")
    platform = FilePlatform(tmp_path / "killed" / "platform", length=length)
    posts = platform.contents()
    assert posts == FilePlatform(tmp_path / "calm" / "platform").contents()  # none lost or double
    assert len(posts) == killed.posts == length
    assert repr(killed.state) == repr(calm.state)
    assert killed.open_drafts == []
    assert all(entry.score == platform.score(entry.post_id) for entry in entries)


@pytest.mark.parametrize("audience", ["delayed", "text"])
@pytest.mark.parametrize(
    ("kills", "length"), [(20, 500), pytest.param(200, 5000, marks=pytest.mark.slow)]
)
def test_a_simulated_face_is_given_again_what_was_made(tmp_path, audience, kills, length):
    command = [*SIMULATED, audience, str(length)]
    finished(command, tmp_path / "calm")
    assert killed_often(command, tmp_path / "killed", kills) == kills
    (calm, made), (killed, made_by_killed) = map(left_by, (tmp_path / "calm", tmp_path / "killed"))
    assert [(e.post_id, e.post, e.score) for e in made_by_killed] == [
        (e.post_id, e.post, e.score) for e in made
    ]
    assert len(made) == killed.posts == length
    assert repr(killed.state) == repr(calm.state)
