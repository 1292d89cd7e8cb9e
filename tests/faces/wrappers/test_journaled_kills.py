"""A process that posts and is killed at lines that are drawn, and started again each time."""

import random
import signal
from pathlib import Path

import forks
import killing
import pytest
from platform_server import PlatformServer, score_of

from kilroy_gym.faces import read_journal

POSTER = Path(__file__).with_name("poster.py")
FIRST_CALLS = ("run", "settle", "post", "post")
LONGEST_LIFE = 2000
"""In lines of code after one of these calls: two rounds of posts with their scores."""


def forked(kind, port, path):
    return forks.forked(killing.__file__, POSTER, kind, port, path)


def live(process, rng):
    """Lets it post until it is killed."""
    process.start(f"{rng.choice(FIRST_CALLS)}+{rng.randint(1, LONGEST_LIFE)}")
    assert process.ended() == -signal.SIGKILL  # it failed at nothing before


def finish(process, total):
    """Lets it post until it has made so many posts."""
    process.start(f"- {total}")
    assert process.ended() == 0


@pytest.mark.parametrize("kills", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_at_any_moment_nothing_is_lost_and_nothing_posted_twice(tmp_path, kills):
    rng, path = random.Random(kills), tmp_path / "journal"
    with PlatformServer() as server, forked("once", server.port, path) as process:
        for _ in range(kills):
            live(process, rng)
        total = len(server.posts) + 20
        finish(process, total)
        assert server.posts == list(range(total))
        entries = read_journal(path)
        assert [e.post.x for e in entries] == list(range(total))
        assert [e.post_id for e in entries] == [f"post/{number}" for number in range(total)]
        assert [e.key for e in entries] == server.keys
        assert [e.score for e in entries] == [score_of(number) for number in range(total)]
        assert server.repeats > 0  # some kill came between the post and its answer


def test_a_face_that_is_not_idempotent_leaves_doubts_when_killed_and_posts_nothing_twice(tmp_path):
    rng, path, kills = random.Random(0), tmp_path / "journal", 15
    with PlatformServer() as server, forked("plain", server.port, path) as process:
        for _ in range(kills):
            live(process, rng)
        total = len(read_journal(path)) + 5
        finish(process, total)
        entries = read_journal(path)
        made = [e.post.x for e in entries if e.state == "made"]
        doubts = [e.post.x for e in entries if e.state == "in doubt"]
        assert sorted(made + doubts) == [e.post.x for e in entries] == list(range(total))
        assert len(doubts) <= kills
        assert len(set(server.posts)) == len(server.posts)
        assert set(made) <= set(server.posts) <= set(made + doubts)
