"""A run on a real network that is killed again and again: nothing is lost, nothing is double.

``pytest tests/bluesky/test_bluesky_kills.py -m slow -s`` kills it 30 times, and shows at what.
"""

import random
import threading
import time
from collections import Counter
from contextlib import contextmanager

import pytest
from bluesky_bot import ROUND
from bluesky_network import Reading
from bots import forked
from fans import likes

from kilroy_gym.faces import StorageError, read_journal
from kilroy_gym.live.base import CHECKPOINT, JOURNAL
from kilroy_gym.live.checkpoint import Checkpoint

pytestmark = pytest.mark.network

WHEN = ("lost", "came", "carried out", "answered")
"""When to kill: the request never arrives; it does, later; its answer does not; or it does too."""

PHASES = ("warm start", "posting", "scoring", "learning", "drafts written")


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
            assert self.over.wait(60)
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

    def scored(self):
        return sum(entry.score is not None for entry in self.entries())

    def written(self):
        return self.checkpoint.stat().st_mtime_ns if self.checkpoint.exists() else 0

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


def moment_in(phase, life, rng):
    """Draws a moment of a phase; returns it, and a function that tells whether it has come."""
    written, scored = life.written(), life.scored()
    if phase == "warm start":
        moment = Moment(rng.choice(["createSession", "getAuthorFeed"]), rng.choice(WHEN), 1)
    elif phase == "posting":
        moment = Moment("putRecord", rng.choice(WHEN), rng.randint(1, ROUND))
    elif phase == "scoring":
        moment = Moment("getPosts", rng.choice(WHEN), rng.randint(1, 2))
    else:
        moment = Moment("getPosts", "answered", 1)
    if phase == "learning":
        enough = scored // ROUND * ROUND + ROUND
        return moment, lambda: moment.reached.is_set() and life.scored() >= enough
    if phase == "drafts written":
        return moment, lambda: moment.reached.is_set() and life.written() > written
    return moment, moment.reached.is_set


def wait_for(condition, bot):
    """Looks as often as it can, as some moments last a millisecond."""
    end = time.monotonic() + 120
    while not condition() and not bot.has_ended():
        assert time.monotonic() < end
        time.sleep(0.0002)


def killed_often(bot, proxy, life, phases, rng):
    """Kills a run in each of some phases, and lets it end; returns the phases it was killed in."""
    found = []
    for phase in phases:
        moment, has_come = moment_in(phase, life, rng)
        proxy.watch = moment
        bot.start(life.goal())
        wait_for(has_come, bot)
        if phase not in {"learning", "drafts written"}:  # those are over in a millisecond
            time.sleep(rng.random() * 0.003)
        assert bot.kill(), f"it ended by itself, with exit code {bot.code}"
        found.append(life.phase())
        moment.over.set()
    proxy.watch = lambda method, what: None
    finish(bot, life.goal())
    return found


def finish(bot, posts):
    bot.start(posts)
    assert bot.has_ended(300)
    assert bot.code == 0


@pytest.fixture
def bot_of(network, library, tmp_path, proxy):
    """Starts a bot that reaches its servers through the proxy; returns what it leaves, too."""

    @contextmanager
    def start(account, scores):
        directory = tmp_path / account.handle
        environment = account.environment() | proxy.environment()
        arguments = [scores, directory, network.service, library.handle]
        with forked("bluesky_bot.py", arguments, environment) as bot:
            yield bot, Life(directory)

    return start


def phases_of(kills, rng):
    """Some phases to be killed in: first in the warm start, then in all others equally often."""
    first = ["warm start"] * max(kills // 8, 1)
    rest = (list(PHASES[1:]) * kills)[: kills - len(first)]
    rng.shuffle(rest)
    return first + rest


@pytest.mark.parametrize("kills", [8, pytest.param(30, marks=pytest.mark.slow)])
@pytest.mark.parametrize("scores", ["in their round", "later"])
def test_killed_at_any_moment_nothing_is_lost_and_nothing_double(
    bot_of, proxy, new_account, fans_of, counted, scores, kills
):
    rng, account = random.Random(kills), new_account()
    with Reading(fans_of(account)), bot_of(account, scores) as (bot, life):
        killed_in = killed_often(bot, proxy, life, phases_of(kills, rng), rng)
    print(f"killed {kills} times: {dict(Counter(killed_in))}")
    # The two others last a millisecond: of a few tries on a busy machine all may come too late.
    assert set(killed_in) >= set(PHASES if kills >= 30 else PHASES[:3])
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
