"""Runs that are killed at lines that are drawn, and started again each time.

``pytest tests/live/test_run_kills.py -m slow`` kills each of them 200 times.
"""

import random
import signal
from pathlib import Path

import killing
import pytest
from forks import forked
from platform_file import FilePlatform

from kilroy_gym.faces import read_journal
from kilroy_gym.live.base import CHECKPOINT, JOURNAL
from kilroy_gym.live.checkpoint import Checkpoint

HERE = Path(__file__).parent
ON_A_PLATFORM = [HERE / "run_script.py", "platform", "run"]
SIMULATED = [HERE / "simulated_script.py", "run"]
LINES = {"platform": 3500, "delayed": 3500, "text": 13000}
"""About as many lines of code are run in a round."""


def moments(lines, kills):
    """Draws when to kill: sometimes in the start, mostly in the first two rounds of a process."""
    rng = random.Random(kills)
    for _ in range(kills):
        start = rng.random() < 0.2
        yield rng.randint(1, 1500) if start else f"run+{rng.randint(1, 2 * lines)}"


def played(command, folder, moments=()):
    """Plays a run, killed at some moments and started again, until it ends by itself."""
    folder.mkdir()
    with forked(killing.__file__, *command, cwd=folder) as process:
        for moment in moments:
            process.start(moment)
            assert process.ended() == -signal.SIGKILL
        process.start("-")
        assert process.ended() == 0


def left_by(folder):
    """Returns the last checkpoint, and the posts of the journal."""
    return Checkpoint.load(folder / "run" / CHECKPOINT), read_journal(folder / "run" / JOURNAL)


@pytest.mark.parametrize(
    ("kills", "length"), [(40, 800), pytest.param(200, 4000, marks=pytest.mark.slow)]
)
def test_a_run_that_is_killed_ends_as_one_that_is_not(tmp_path, kills, length):
    command = [*ON_A_PLATFORM, length]
    played(command, tmp_path / "calm")
    played(command, tmp_path / "killed", moments(LINES["platform"], kills))
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
    ("kills", "length"), [(20, 400), pytest.param(200, 4000, marks=pytest.mark.slow)]
)
def test_a_simulated_face_is_given_again_what_was_made(tmp_path, audience, kills, length):
    command = [*SIMULATED, audience, length]
    played(command, tmp_path / "calm")
    played(command, tmp_path / "killed", moments(LINES[audience], kills))
    (calm, made), (killed, made_by_killed) = map(left_by, (tmp_path / "calm", tmp_path / "killed"))
    assert [(e.post_id, e.post, e.score) for e in made_by_killed] == [
        (e.post_id, e.post, e.score) for e in made
    ]
    assert len(made) == killed.posts == length
    assert repr(killed.state) == repr(calm.state)
