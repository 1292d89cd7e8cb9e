"""A run on a real network that is killed again and again: nothing is lost, nothing is double.

``pytest tests/bluesky/test_bluesky_kills.py -m slow -s -n0`` shows at what it was killed.
"""

import os
import random
import signal
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import killing
import pytest
from bluesky_bot import ROUND
from bluesky_network import Reading
from fans import likes
from forks import forked

from kilroy_gym.faces import StorageError, read_journal
from kilroy_gym.live.base import CHECKPOINT, JOURNAL
from kilroy_gym.live.checkpoint import Checkpoint

WHEN = ("lost", "came", "carried out", "answered")
"""When to kill: the request never arrives; it does, later; its answer does not; or it does too."""

PHASES = ("warm start", "posting", "scoring", "learning", "drafts written")
BETWEEN_REQUESTS = {"learning": "reinforce", "drafts written": "reinforce/save/intend"}
"""Phases in which there are none, by the functions that begin one after another until then."""

BOT = Path(__file__).with_name("bluesky_bot.py")


class Moment:
    """A moment of a run, by the requests it makes; one that is held stays where it is.

    Args:
        method: Of the request.
        when: One of ``WHEN``.
        number: Which of these requests of a process, from 1.
    """

    def __init__(self, method, when, number):
        self.method, self.when, self.left = method, when, number
        self.reached, self.over = threading.Event(), threading.Event()

    def __call__(self, method, what):
        if method != self.method or what != ("came" if self.when == "lost" else self.when):
            return None
        self.left -= 1
        if self.left:
            return None
        self.reached.set()
        if self.when != "answered":
            self.over.wait()
        return "cut off" if self.when == "lost" else None


class Life:
    """A run's directory, as far as it can be seen from outside."""

    def __init__(self, directory):
        self.journal, self.checkpoint = directory / JOURNAL, directory / CHECKPOINT

    def entries(self):
        try:
            return read_journal(self.journal)
        except StorageError:  # it is about to be made
            return []

    def goal(self):
        """So many posts that every phase comes once more before the run is over."""
        return (len(self.entries()) // ROUND + 3) * ROUND

    def phase(self):
        """Where the run is, by what is on the disk."""
        entries = self.entries()
        if not self.checkpoint.exists():
            return "warm start"
        if len(entries) % ROUND or (entries and entries[-1].state == "in doubt"):
            return "posting"
        if Checkpoint.load(self.checkpoint).posts == len(entries):
            return "drafts written"
        return "scoring" if any(e.score is None for e in entries[-ROUND:]) else "learning"


def moment_in(phase, rng):
    """Draws a moment of a phase in which there are requests."""
    if phase == "warm start":
        return Moment(rng.choice(["createSession", "getAuthorFeed"]), rng.choice(WHEN), 1)
    if phase == "posting":
        return Moment("putRecord", rng.choice(WHEN), rng.randint(1, ROUND))
    return Moment("getPosts", rng.choice(WHEN), rng.randint(1, 2))


def kill_at_a_line(bot, phase, life, rng):
    """Kills it in a phase that lasts a millisecond, at a line of code."""
    bot.start(f"{BETWEEN_REQUESTS[phase]}+{rng.randint(1, 20)} {life.goal()}")
    assert bot.ended() == -signal.SIGKILL


def kill_at_a_request(bot, phase, life, rng, proxy):
    proxy.watch = moment = moment_in(phase, rng)
    bot.start(f"- {life.goal()}")
    while not moment.reached.wait(0.1):
        assert bot.is_there()
    assert bot.kill()
    moment.over.set()
    proxy.watch = lambda method, what: None


def killed_often(bot, proxy, life, phases, rng):
    """Kills a run in each of some phases, and lets it end; returns the phases it was killed in."""
    found = []
    for phase in phases:
        if phase in BETWEEN_REQUESTS:
            kill_at_a_line(bot, phase, life, rng)
        else:
            kill_at_a_request(bot, phase, life, rng, proxy)
        found.append(life.phase())
    finish(bot, life.goal())
    return found


def finish(bot, posts):
    bot.start(f"- {posts}")
    assert bot.ended() == 0


@pytest.fixture
def bot_of(network, library, tmp_path, proxy):
    """Starts a bot that reaches its servers through the proxy; returns what it leaves, too."""

    @contextmanager
    def start(account, scores):
        directory = tmp_path / account.handle
        environment = account.environment() | proxy.environment()
        arguments = [BOT, scores, directory, network.service, library.handle]
        with forked(killing.__file__, *arguments, env=os.environ | environment) as bot:
            yield bot, Life(directory)

    return start


def phases_of(kills, rng):
    """Some phases to be killed in: first in the warm start, then in all others equally often."""
    first = ["warm start"] * max(kills // 8, 1)
    rest = (list(PHASES[1:]) * kills)[: kills - len(first)]
    rng.shuffle(rest)
    return first + rest


@pytest.mark.parametrize("scores", ["in their round", "later"])
def test_killed_at_any_moment_nothing_is_lost_and_nothing_double(
    bot_of, proxy, new_account, fans_of, counted, scores
):
    rng, account, kills = random.Random(16), new_account(), 16
    with Reading(fans_of(account)), bot_of(account, scores) as (bot, life):
        killed_in = killed_often(bot, proxy, life, phases_of(kills, rng), rng)
    print(f"killed {kills} times: {dict(Counter(killed_in))}")
    # Where scores come later it learns from some while it waits for others.
    assert set(killed_in) >= set(PHASES) - ({"learning"} if scores == "later" else set())
    entries, checkpoint = life.entries(), Checkpoint.load(life.checkpoint)
    assert {e.post_id: (e.post.x, e.score) for e in entries} == counted(account)
    assert [entry.score for entry in entries] == [likes(entry.post.x) for entry in entries]
    assert checkpoint.posts == len(entries)
    assert checkpoint.open_drafts == []
    assert checkpoint.state["_running"][0] == len(entries)  # each was reinforced, once
    if scores == "later":
        return  # what was learned depends on when scores came
    calm_account = new_account()
    with Reading(fans_of(calm_account)), bot_of(calm_account, scores) as (bot, calm):
        finish(bot, len(entries))
    assert [entry.post.x for entry in calm.entries()] == [entry.post.x for entry in entries]
    assert repr(Checkpoint.load(calm.checkpoint).state) == repr(checkpoint.state)
