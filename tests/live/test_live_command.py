import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from platform_file import FilePlatform

from kilroy_gym import PostData, cli
from kilroy_gym.faces import Journal

BOT = """
import sys

sys.path.insert(0, {folder!r})
from platform_file import FilePlatform

from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.faces import ReviewedFace
from kilroy_gym.faces.rules import banned
from kilroy_gym.modules import CategoricalModule, ThompsonModule


def face():
    return FilePlatform("platform", delay=0)


def module():
    return CategoricalModule(["cat", "dog", "duck"], seed=0)


class HasModel(CategoricalModule):
    model = object()  # as one that holds a network


def has_model():
    return HasModel(["cat", "dog", "duck"], seed=0)


def other():
    return ThompsonModule(["cat"])


def codec():
    return CategoricalCodec(["cat", "dog", "duck"])


def around(face):
    return ReviewedFace(face, [banned(["dog"])])
"""
DUCKS = """
import sys

sys.path.insert(0, {folder!r})
from platform_file import FilePlatform

from kilroy_gym.modules import CategoricalModule


class Pond(FilePlatform):
    def score(self, post_id):
        return 1.0


def face():
    return Pond("platform")


def module():
    return CategoricalModule(["\U0001f986", "duck"], seed=0)
"""
FACE = ["--face", "bot:face"]
FALLING = """

class Falling(FilePlatform):
    def post(self, data):
        post_id = super().post(data)
        if post_id == 37:
            raise ConnectionResetError
        return post_id


def falling():
    return Falling("platform", delay=0)
"""
NAMES = [*FACE, "--module", "bot:module"]
MODEL = [*FACE, "--agent", "ppo", "--codec", "bot:codec"]


def call(*args):
    """Runs the command in this process; returns its exit code."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(arg) for arg in args])
    return ended.value.code or 0


@pytest.fixture(autouse=True)
def _bot(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("bot.py").write_text(BOT.format(folder=str(Path(__file__).parent)), encoding="utf-8")
    yield
    sys.modules.pop("bot", None)


def test_a_run_is_shown_and_goes_on(capsys):
    assert call("run", *NAMES, "--dir", "kept", "--posts", 60, "--post-rate", 0) == 0
    assert "60 posts made, 0 refused, 0 in doubt" in capsys.readouterr().out
    assert call("run", *NAMES, "--dir", "kept", "--posts", 100, "--post-rate", 0) == 0
    printed = capsys.readouterr().out
    assert "Continuing after 60 posts." in printed
    assert "100 posts made" in printed
    assert len(FilePlatform("platform").contents()) == 100


def test_the_feed_is_a_page_that_needs_nothing_else(capsys):
    call("run", *NAMES, "--dir", "kept", "--posts", 20, "--post-rate", 0)
    assert call("feed", "kept", "-n", 3, "--html", "feed.html") == 0
    page = Path("feed.html").read_text()
    assert page.count("<tr><td>") == 20
    assert "data:image/png;base64," in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)


@pytest.mark.parametrize("names", [NAMES, [*FACE, "--module", "bot:has_model"], MODEL])
def test_writing_posts_sends_none(names, capsys):
    call("run", *names, "--dir", "kept", "--posts", 20, "--post-rate", 0)
    capsys.readouterr()
    assert call("generate", "kept", "-n", 25) == 0
    written = capsys.readouterr().out.split()
    assert len(written) == 25
    assert set(written) <= {"cat", "dog", "duck"}
    assert len(FilePlatform("platform").contents()) == 20


def test_a_module_that_was_moved_is_named_again(capsys):
    call("run", *NAMES, "--dir", "kept", "--posts", 20, "--post-rate", 0)
    Path("moved.py").write_text(Path("bot.py").read_text())
    capsys.readouterr()
    assert call("generate", "kept", "--module", "moved:module", "-n", 3) == 0
    assert len(capsys.readouterr().out.split()) == 3
    assert call("generate", "kept", "--module", "moved:other") == 2


def test_wrappers_of_a_users_own_go_around_the_journal(capsys):
    args = ("--around", "bot:around", "--dir", "kept", "--posts", 60, "--post-rate", 0)
    assert call("run", *NAMES, *args, "--epochs", 1) == 0
    assert call("feed", "kept", "-n", 60) == 0
    assert "refused: 'dog' is banned" in capsys.readouterr().out
    assert "dog" not in FilePlatform("platform").contents()


def test_a_model_goes_on_from_its_last_update_and_the_command_says_what_was_lost(capsys):
    args = ("--dir", "kept", "--post-rate", 0, "--round", 5)
    Path("bot.py").write_text(Path("bot.py").read_text() + FALLING)
    assert call("run", "--face", "bot:falling", *MODEL[2:], *args, "--posts", 100) == 2
    assert "ConnectionResetError" in capsys.readouterr().err
    assert call("run", *MODEL, *args, "--posts", 60) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Continuing after 30 posts. 7 posts are not counted" in printed
    assert "57 posts made" in printed
    assert "7 not counted" in printed
    assert call("feed", "kept", "-n", 57, "--html", "feed.html") == 0
    assert capsys.readouterr().out.count("(not counted)") == 7
    assert Path("feed.html").read_text().count("(not counted)") == 7


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["feed", "nowhere"], "nowhere holds no run"),
        (["generate", "nowhere", "--module", "bot:module"], "nowhere holds no run"),
        (["generate", "kept", "--module", "bot:other"], "of a CategoricalModule, not of a Thomp"),
        (["run", *NAMES[:3], "bot:other", "--dir", "kept"], "not of a ThompsonModule"),
        (["run", *FACE, "--dir", "new"], "give either --module package.module:name or --agent"),
        (["run", *NAMES, "--agent", "ppo", "--dir", "new"], "not both"),
        (["run", *FACE, "--agent", "ppo", "--dir", "new"], "--agent and --codec belong together"),
        (["run", *FACE, "--agent", "pppo", "--codec", "bot:codec", "--dir", "new"], "Did you mean"),
        (["run", *MODEL, "--dir", "new", "--posts", "5"], "is less than one --round of 10"),
        (
            ["run", *FACE, "--agent", "uniform", "--codec", "bot:codec", "--dir", "new"],
            "lacks state",
        ),
        (["run", *NAMES, "--around", "bot", "--dir", "new"], "must be of the form"),
    ],
)
def test_a_mistake_is_told_in_a_line(args, message, capsys):
    call("run", *NAMES, "--dir", "kept", "--posts", 10, "--post-rate", 0)
    capsys.readouterr()
    assert call(*args) == 2
    error = capsys.readouterr().err
    assert message in " ".join(error.split())
    assert "Traceback" not in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_run_which_then_goes_on(number):
    command = [
        sys.executable, "-c", "from kilroy_gym.cli import main; main()",
        "run", *NAMES, "--dir", "kept", "--post-rate", "0.01", "--posts",
    ]  # fmt: skip
    process = subprocess.Popen([*command, "100000"], stdout=subprocess.PIPE, text=True)
    while process.poll() is None and not (
        Path("platform").exists() and len(FilePlatform("platform").contents()) > 15
    ):
        time.sleep(0.02)
    process.send_signal(number)
    printed, _ = process.communicate()
    assert process.returncode == 130
    assert "the same command continues from here" in printed
    made = len(FilePlatform("platform").contents())
    target = str(made // 10 * 10 + 20)
    subprocess.run([*command, target], check=True, stdout=subprocess.PIPE, env=os.environ)
    assert len(FilePlatform("platform").contents()) == int(target)


def test_what_a_platform_says_of_a_refusal_cannot_garble_the_terminal(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    journal = Journal(tmp_path / "run" / "journal.sqlite")
    journal.intend(PostData("hello"), "bot", "\x1b[31mno\x1b[2J", -1.0)
    journal.close()
    assert call("feed", tmp_path / "run", "--html", tmp_path / "feed.html") == 0
    shown = capsys.readouterr().out + (tmp_path / "feed.html").read_text()
    assert "\x1b" not in shown
    assert shown.count("\\x1b[31mno") == 2


def test_the_page_is_named_after_the_directory_and_writes_over_nothing_else(monkeypatch, capsys):
    call("run", *NAMES, "--dir", "kept", "--posts", 20, "--post-rate", 0)
    monkeypatch.chdir("kept")
    for _ in range(2):
        assert call("feed", ".", "--html", "page.html") == 0
    assert "<title>kept</title>" in Path("page.html").read_text()
    before = Path("journal.sqlite").read_bytes()
    assert call("feed", ".", "--html", "journal.sqlite") == 2
    assert "journal.sqlite exists and is not a page of a feed" in capsys.readouterr().err
    assert Path("journal.sqlite").read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_nobody_else_can_read_what_a_run_leaves():
    before = os.umask(0)
    try:
        call("run", *NAMES, "--dir", "kept", "--posts", 20, "--post-rate", 0)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in Path("kept").iterdir()}
    assert {"journal.sqlite", "checkpoint.json", "names.json"} <= modes.keys()
    assert modes == dict.fromkeys(modes, 0o600)


def test_a_terminal_that_lacks_a_character_ends_no_run():
    Path("ducks.py").write_text(DUCKS.format(folder=str(Path(__file__).parent)), encoding="utf-8")
    command = [sys.executable, "-c", "from kilroy_gym.cli import main; main()", "run"]
    command += ["--face", "ducks:face", "--module", "ducks:module", "--dir", "kept"]
    command += ["--posts", "20", "--post-rate", "0"]
    env = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = subprocess.run([*command, "--no-warm-start"], env=env, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"20 posts made" in done.stdout
