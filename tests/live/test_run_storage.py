"""Where a run cannot be kept, nothing is posted that is not."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from platform_file import FilePlatform

from kilroy_gym.faces import StorageError, read_journal
from kilroy_gym.live import LiveRun
from kilroy_gym.live.base import CHECKPOINT, JOURNAL
from kilroy_gym.modules import CategoricalModule

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.path.insert(0, sys.argv[2])
from kilroy_gym.cli import main
main(sys.argv[3:])
"""
BOT = """
from platform_file import FilePlatform
from kilroy_gym.modules import CategoricalModule

def face():
    return FilePlatform("platform", delay=0)

def module():
    return CategoricalModule(["cat", "dog", "duck"], seed=0)
"""
RUN = ("run", "--face", "bot:face", "--module", "bot:module", "--dir", "kept")
HERE = str(Path(__file__).parent)


@pytest.fixture
def folder():
    """A directory of somebody who may not write everywhere, as root may."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
        Path(folder).chmod(0o755)
    os.seteuid(before)


def live(folder, face):
    return LiveRun(face, CategoricalModule(["cat", "dog"], seed=0), folder, post_rate=0.0)


def test_a_directory_that_cannot_be_written_is_refused_before_anything_is_posted(folder):
    face = FilePlatform(":memory:")
    folder.chmod(0o555)
    with pytest.raises(StorageError, match=r"new cannot be made: Permission denied; give another"):
        live(folder / "new", face)
    with pytest.raises(StorageError, match="it needs a writable directory"):
        live(folder, face)
    assert face.contents() == []


def test_no_round_goes_out_whose_checkpoint_cannot_be_written(folder):
    face = FilePlatform(":memory:", delay=0)
    run = live(folder, face)
    run.run(20)
    (folder / f"{CHECKPOINT}.part").mkdir()  # in the way
    with pytest.raises(StorageError, match=r"checkpoint .* cannot be written: Is a directory"):
        run.run(40)
    assert len(face.contents()) == 20
    (folder / f"{CHECKPOINT}.part").rmdir()
    run.close()
    live(folder, face).run(40)
    assert len(face.contents()) == 40


def test_a_full_disk_ends_a_run_with_an_error_and_it_goes_on_where_there_is_room(tmp_path):
    (tmp_path / "bot.py").write_text(BOT)

    def run(limit):
        args = [str(limit), HERE, *RUN, "--posts", "60", "--post-rate", "0", "--epochs", "1"]
        return subprocess.run(
            [sys.executable, "-c", LIMITED, *args], cwd=tmp_path, capture_output=True, text=True
        )

    full = run(150_000)
    assert full.returncode == 2
    assert "room on the disk" in " ".join(full.stderr.split())
    assert "Traceback" not in full.stderr
    entries = read_journal(tmp_path / "kept" / JOURNAL)
    made = FilePlatform(tmp_path / "platform").contents()
    assert 0 < len(made) <= len(entries) < 60
    assert [entry.post.x for entry in entries[: len(made)]] == made
    assert run(10_000_000).returncode == 0
    entries = read_journal(tmp_path / "kept" / JOURNAL)
    assert [entry.post.x for entry in entries] == FilePlatform(tmp_path / "platform").contents()
    assert len(entries) == 60
