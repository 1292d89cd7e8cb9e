import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from platform_server import PlatformServer, score_of

from kilroy_gym.faces import read_journal

LONGEST_LIFE_S = 0.06


class Poster:
    """The process that posts, which is killed and started again."""

    def __init__(self, process):
        self._process = process

    def live(self, seconds):
        """Lets it post for so long, then kills it."""
        pid = self._start("")
        end = threading.Event()
        end.wait(seconds)
        os.kill(pid, signal.SIGKILL)
        assert self._code() == -signal.SIGKILL  # it failed at nothing before

    def finish(self, total):
        """Lets it post until it has made so many posts."""
        self._start(total)
        assert self._code() == 0

    def _start(self, total):
        self._process.stdin.write(f"{total}\n")
        self._process.stdin.flush()
        return self._code()

    def _code(self):
        return int(self._process.stdout.readline())


@contextmanager
def poster(kind, port, path):
    script = Path(__file__).with_name("poster.py")
    command = [sys.executable, script, kind, str(port), path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        yield Poster(process)
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize("kills", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_at_any_moment_nothing_is_lost_and_nothing_posted_twice(tmp_path, kills):
    rng, path = random.Random(kills), tmp_path / "journal"
    with PlatformServer() as server, poster("once", server.port, path) as process:
        for _ in range(kills):
            process.live(rng.uniform(0, LONGEST_LIFE_S))
        total = len(server.posts) + 20
        process.finish(total)
        assert server.posts == list(range(total))
        entries = read_journal(path)
        assert [e.post.x for e in entries] == list(range(total))
        assert [e.post_id for e in entries] == [f"post/{number}" for number in range(total)]
        assert [e.key for e in entries] == server.keys
        assert [e.score for e in entries] == [score_of(number) for number in range(total)]
        assert server.repeats > 0  # some kill came between the post and its answer


def test_a_face_that_is_not_idempotent_leaves_doubts_when_killed_and_posts_nothing_twice(tmp_path):
    rng, path, kills = random.Random(0), tmp_path / "journal", 15
    with PlatformServer() as server, poster("plain", server.port, path) as process:
        for _ in range(kills):
            process.live(rng.uniform(0, LONGEST_LIFE_S))
        total = len(read_journal(path)) + 5
        process.finish(total)
        entries = read_journal(path)
        made = [e.post.x for e in entries if e.state == "made"]
        doubts = [e.post.x for e in entries if e.state == "in doubt"]
        assert sorted(made + doubts) == [e.post.x for e in entries] == list(range(total))
        assert len(doubts) <= kills
        assert len(set(server.posts)) == len(server.posts)
        assert set(made) <= set(server.posts) <= set(made + doubts)
