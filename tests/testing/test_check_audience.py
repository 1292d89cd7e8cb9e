"""What `check_audience` finds."""

import copy

import numpy as np
import pytest
from broken import one_promise_broken, promises_broken
from gymnasium.spaces import Discrete, MultiDiscrete
from parts import MoodyAudience

from kilroy_gym.audiences import TimingAudience
from kilroy_gym.envs.suite import AUDIENCES, audience_class
from kilroy_gym.testing import check_audience


class Timed(TimingAudience):
    """An audience with something to observe, to break."""


# --- what is right ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", sorted(set(AUDIENCES.values())))
def test_every_audience_that_ships_keeps_its_promises(name, seed):
    assert check_audience(audience_class(name)(), seed) is None


def test_an_audience_stays_as_it_is():
    audience, rng = MoodyAudience(), np.random.default_rng(0)
    audience.restart(rng)
    before = vars(copy.deepcopy(audience))
    check_audience(audience)
    assert (audience.mood, audience.posts) == (before["mood"], before["posts"])


# --- what is broken -----------------------------------------------------------------------

MOODY = MoodyAudience


def responding(change):
    def respond(self, actions, rng):
        return change(*MOODY.respond(self, actions, rng))

    return respond


def drawing_once(self, actions, rng):
    noise = rng.standard_normal()
    _, expected, best = MOODY.respond(self, actions, np.random.default_rng(0))
    return expected + noise, expected, best


def standing_still(self, actions, rng):
    response = MOODY.respond(self, actions, rng)
    self.posts = 0
    return response


def moved_per_batch(self, actions, rng):
    posts = self.posts
    response = MOODY.respond(self, actions, rng)
    self.posts = posts + 1
    return response


def sines(self, actions, rng):
    actions = np.asarray(actions)
    angles = 1.7 * (self.posts + np.arange(actions.size).reshape(actions.shape)) + self.mood
    self.posts += actions.size
    last_bit = np.nextafter(angles, np.inf) if np.ndim(actions) else angles  # as SIMD may do
    expected = actions * last_bit
    return expected + rng.standard_normal(actions.shape), expected, expected


def own_noise(self, actions, rng):
    response = MOODY.respond(self, actions, rng)
    noise = np.random.default_rng().standard_normal(np.shape(actions))
    return response[0] + noise, *response[1:]


def unreset(self, rng):
    self.mood, self.posts = rng.random(), getattr(self, "posts", 0)


def grabbing(self, count, rng):
    self.posts += 1
    return MOODY.community(self, count, rng)


def doubling(self, actions, rng):
    if isinstance(actions, np.ndarray) and actions.ndim:
        actions[:] = 0
    return MOODY.respond(self, actions, rng)


BROKEN = {
    "no codec": ({"__init__": lambda self: None}, "codec raised AttributeError"),
    "a space as codec": (
        {"__init__": lambda self: setattr(self, "codec", Discrete(3))},
        "codec is Discrete(3): set it to a Codec",
    ),
    "a score alone": ({"respond": responding(lambda s, e, b: s)}, "return (score, expected, best)"),
    "a score too few": ({"respond": responding(lambda s, e, b: (s, e))}, "return (score, expected"),
    "a list of rows": (
        {"respond": responding(lambda s, e, b: (s[..., None], e, b))},
        "or for a batch float64 of shape (n,)",
    ),
    "a score that is NaN": (
        {"respond": responding(lambda s, e, b: (s * np.nan, e, b))},
        "every score must be finite",
    ),
    "best below expected": (
        {"respond": responding(lambda s, e, b: (s, e, e - 1))},
        "respond gave an expected score of",
    ),
    "one draw for all": ({"respond": drawing_once}, "must equal its posts one by one to the last"),
    "time that moves with rounds": ({"respond": moved_per_batch}, "move time on by each post"),
    "time that stands still": ({"respond": standing_still}, "must equal its posts one by one"),
    "the last bit": ({"respond": sines}, "look exp, sin and the like up in a table"),
    "noise of its own": ({"respond": own_noise}, "draw only from rng or its children"),
    "time that goes on": ({"restart": unreset}, "reset everything in restart"),
    "actions that are changed": ({"respond": doubling}, "changed the actions: change a copy"),
    "posts alone": (
        {"community": lambda self, count, rng: rng.integers(0, 3, count)},
        "return (actions, observations or None)",
    ),
    "posts outside": (
        {"community": lambda self, count, rng: (np.full(count, 3), None)},
        "give actions in the space of its codec",
    ),
    "contents as posts": (
        {"community": lambda self, count, rng: (np.full(count, "cats"), None)},
        "give actions in the space of its codec",
    ),
    "too few posts": (
        {"community": lambda self, count, rng: (np.zeros(min(count, 5), np.int64), None)},
        "community(24, rng) gave 5 actions",
    ),
    "observations outside": (
        {"community": lambda self, count, rng: (np.zeros(count, np.int64), np.ones(count) + 8)},
        "which is not in Discrete(1)",
    ),
    "a scrape of its own": (
        {"community": lambda self, count, rng: (
            np.random.default_rng().integers(0, 3, count), None
        )},
        "draw from rng only",
    ),
    "a scrape that moves time": ({"community": grabbing}, "it must change nothing"),
    "a space and nothing seen": (
        {"observation_space": MultiDiscrete([24, 7])},
        "returned shape (1,) and dtype int64: return an array of shape (1, 2)",
    ),
    "a delay in parts": ({"delay": lambda self, score: 0.5}, "an integer of at least 0"),
    "a negative delay": ({"delay": lambda self, score: -1}, "an integer of at least 0"),
    "a yes as delay": ({"delay": lambda self, score: True}, "an integer of at least 0"),
}  # fmt: skip


@pytest.mark.parametrize(("members", "line"), BROKEN.values(), ids=BROKEN)
def test_it_names(members, line):
    lines = promises_broken(check_audience, type("Broken", (MoodyAudience,), members)())
    assert any(line in found for found in lines), lines


def test_observing_ahead_must_be_what_is_observed_then():
    class Now(Timed):
        def observe(self, count):
            return np.repeat(super().observe(1), count, axis=0)

    line = one_promise_broken(check_audience, Now())
    assert "observe(3) gave array([0, 0]) before post 1, where observe(1) gave" in line


def test_what_copies_share_is_named():
    class Shared(MoodyAudience):
        made = [0]  # noqa: RUF012 - the mistake

        def restart(self, rng):
            super().restart(rng)
            self.made[0] = 0

        def respond(self, actions, rng):
            score, expected, best = super().respond(actions, rng)
            numbers = self.made[0] + np.arange(np.size(actions)).reshape(np.shape(actions))
            self.made[0] += np.size(actions)
            return score + numbers, expected, best

    lines = promises_broken(check_audience, Shared())
    assert any("keep all state on self" in line for line in lines)


def test_what_is_no_audience_is_named():
    assert "is not an Audience" in one_promise_broken(check_audience, "likes")
    assert "hand in an instance" in one_promise_broken(check_audience, MoodyAudience)
