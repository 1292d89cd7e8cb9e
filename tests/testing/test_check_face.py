"""What `check_face` finds."""

import asyncio
import copy
import threading
from dataclasses import replace
from decimal import Decimal
from itertools import count

import numpy as np
import pytest
from broken import one_promise_broken, promises_broken
from face_parts import OnceFace, ScoredFace
from gymnasium.spaces import Box, Discrete
from parts import ID_MAKERS, Delayed, MoodyAudience, WallFace, moody_face

from kilroy_gym import KilroyFace, PostData, ScorePending
from kilroy_gym.envs.suite import AUDIENCES, audience_class
from kilroy_gym.faces import (
    DryRunFace,
    FaceWrapper,
    JournaledFace,
    LoggedFace,
    RateLimitedFace,
    RetryingFace,
    ReviewedFace,
    SimulatedFace,
)
from kilroy_gym.interfaces import Observes, PostRefused
from kilroy_gym.testing import check_face

NUMBERS = [PostData(x) for x in (0.5, 1.5, 2.5, 3.5)]
TOPICS = [PostData(x) for x in ("cats", "dogs", "news", "dogs", "cats")]


class Moody(SimulatedFace):
    """A simulated Face to break."""

    def __init__(self):
        super().__init__(MoodyAudience(), 0)


def broken(base, **members):
    """Returns a part of a class that overrides some members of a right one."""
    return type("Broken", (base,), members)()


# --- what is right ------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(AUDIENCES.values())))
def test_a_simulated_face_keeps_its_promises_and_stays_as_it_is(name):
    face = SimulatedFace(audience_class(name)(), 0)
    posts = [post for _, post in face.scrap(10)]
    before = copy.deepcopy(face)
    assert check_face(face) is None
    assert check_face(face, posts) is None
    assert face.post(posts[0]) == before.post(posts[0]) == 0


@pytest.mark.parametrize("name", ["int", "str", "tuple"])
def test_a_face_of_three_methods_keeps_its_promises_whatever_its_ids(name):
    face = WallFace(make_id=ID_MAKERS[name])
    check_face(face, NUMBERS)
    assert face.posts == NUMBERS[::2] + NUMBERS[1::2]


@pytest.mark.parametrize(
    "make", [lambda: Delayed(MoodyAudience(), 0), lambda: moody_face(), ScoredFace, OnceFace]
)
def test_the_faces_of_the_tests_keep_their_promises(make):
    posts = TOPICS if isinstance(make(), SimulatedFace) else NUMBERS
    check_face(make(), posts)


def test_nothing_is_posted_unless_posts_are_given():
    face = OnceFace()
    check_face(face)
    assert (face.posts, face.sent, face.asked) == ([], [], [])


def test_a_score_that_is_pending_is_no_fault():
    check_face(WallFace(asks=lambda number: 10**6), NUMBERS)


def test_a_like_is_a_score():
    check_face(WallFace(score_of=bool), NUMBERS)


@pytest.mark.parametrize("error", [PostRefused, RuntimeError])
def test_a_refused_post_is_no_fault_and_another_error_is(error):
    class Picky(WallFace):
        def post(self, data):
            if data.x == 0.5:
                raise error("not here")
            return super().post(data)

    if error is PostRefused:
        check_face(Picky(), NUMBERS)
    else:
        line = one_promise_broken(check_face, Picky(), NUMBERS)
        assert line.startswith("post(PostData(x=0.5, context=None)) raised RuntimeError: not here")


def test_an_export_keeps_its_promises(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text("text,score\nA dog,12\nTwo dogs,\n")
    check_face(LoggedFace(path))


@pytest.mark.parametrize("inner", [moody_face, OnceFace], ids=["simulated", "live"])
@pytest.mark.parametrize(
    "wrap",
    [
        FaceWrapper,
        lambda face: ReviewedFace(face, []),
        lambda face: DryRunFace(face),
        lambda face: RetryingFace(face),
        lambda face: ReviewedFace(RetryingFace(face), []),
    ],
    ids=["plain", "reviewed", "dry run", "retrying", "two"],
)
def test_a_wrapped_face_keeps_its_promises(inner, wrap):
    check_face(wrap(inner()), TOPICS if inner is moody_face else NUMBERS)


def test_a_face_with_a_journal_and_a_limit_keeps_its_promises(tmp_path):
    journaled = JournaledFace(RetryingFace(OnceFace()), tmp_path / "journal")
    with RateLimitedFace(journaled, tmp_path / "limits", per_hour=100) as face:
        check_face(face, NUMBERS)


# --- what is broken -----------------------------------------------------------------------


def scraping(*entries):
    def scrap(self, limit=None):
        yield from entries[:limit]

    return scrap


def growing(self, limit=None):
    post = PostData([])
    for number in range(limit):
        post.x.append(number)
        yield number, post


async def a_score(self, post_id):
    return 1.0


async def a_scrap(self, limit=None):
    yield 0, PostData(1.0)


async def a_post(self, data):
    return 1


HIDDEN = {"score": lambda self, post_id: asyncio.sleep(0)}
SHARED = count()
READING = {
    "async beside others": ({"score": a_score}, "async: score; not async: scrap, post"),
    "async generator": ({"scrap": a_scrap}, "async: scrap; not async: post"),
    "half an observation": (
        {"observation_space": Discrete(3)},
        "it has observation_space but not observe",
    ),
    "the other half": ({"observe": lambda self, count: [0]}, "not observation_space"),
    "half of playing": ({"play": lambda self, actions: None}, "not codec, play_one and plays_acti"),
    "truth is a value": ({"truth": (1.0, 2.0)}, "truth is (1.0, 2.0): make it a method"),
    "idempotent in words": ({"idempotent": "yes"}, "idempotent is 'yes': say True or False"),
    "scrap without limit": ({"scrap": lambda self: iter(())}, "scrap(20) raised TypeError"),
    "scrap returns nothing": ({"scrap": lambda self, limit=None: None}, "scrap(20) returned None"),
    "scrap has no limit": (
        {"scrap": lambda self, limit=None: ((n, PostData(n)) for n in count())},
        "yielded more than",
    ),
    "posts without ids": (
        {"scrap": scraping(PostData(1.0))},
        "yielded PostData(x=1.0, context=None): yield a tuple (post id, PostData(x)) per post",
    ),
    "the wrong way round": ({"scrap": scraping((PostData(1.0), 1))}, "the wrong way round"),
    "contents without posts": ({"scrap": scraping((1, "hello"))}, "gave 'hello' as a post"),
    "a post in a post": ({"scrap": scraping((1, PostData(PostData(1))))}, "x must be the content"),
    "a post of nothing": ({"scrap": scraping((1, PostData(None)))}, "x must be the content"),
    "ids without a hash": ({"scrap": scraping(({"uri": 1}, PostData(1)))}, "cannot be the key of"),
    "an id that is no number": ({"scrap": scraping((float("nan"), PostData(1)))}, "cannot be the"),
    "ids that are None": ({"scrap": scraping((None, PostData(1)))}, "gave None as an id"),
    "ids twice": ({"scrap": scraping((1, PostData(1)), (1, PostData(2)))}, "gave the id 1 twice"),
    "one post for all": ({"scrap": growing}, "changed it afterwards to"),
    "scored differently": (
        {"scrap_scored": lambda self, limit=None: iter([(5, PostData(1.0), None)])},
        "scrap_scored yielded other posts than scrap",
    ),
    "scored without score": (
        {"scrap_scored": lambda self, limit=None: self.scrap(limit)},
        "yield a tuple (post id, PostData(x), score or None)",
    ),
    "scored by words": (
        {"scrap_scored": lambda self, limit=None: ((i, p, "12") for i, p in self.scrap(limit))},
        "gave the score '12': give a finite number, or None",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("members", "line"), READING.values(), ids=READING)
def test_without_posts_it_names(members, line):
    for found in promises_broken(check_face, broken(WallFace, **members)):
        assert line in found


def test_the_second_scrape_must_begin_anew():
    class Once(WallFace):
        def __init__(self):
            super().__init__()
            self.found = iter([(0, PostData(1.0)), (1, PostData(2.0))])

        def scrap(self, limit=None):
            return self.found

    assert "none when called again: begin anew" in one_promise_broken(check_face, Once())


@pytest.mark.parametrize(
    ("observe", "line"),
    [
        (lambda self, count: [0] * count, "returned [0]: return an array of shape (1,) and dtype"),
        (lambda self, count: np.zeros(count), "and dtype float64: return an array of shape (1,)"),
        (lambda self, count: np.zeros((count, 1), np.int64), "returned shape (1, 1)"),
        (lambda self, count: np.zeros(1, np.int64), "observe(3) returned shape (1,)"),
        (lambda self, count: np.full(count, 3), "gave np.int64(3), which is not in Discrete(3)"),
        (lambda self, count: self.nothing, "observe(1) raised AttributeError"),
    ],
)
def test_an_observation_must_be_in_its_space(observe, line):
    face = broken(WallFace, observation_space=Discrete(3), observe=observe)
    assert line in one_promise_broken(check_face, face)


def test_a_scraped_context_must_be_an_observation():
    class Seen(WallFace):
        observation_space = Box(0, 1, (2,), np.float32)

        def observe(self, count):
            return np.zeros((count, 2), np.float32)

        def scrap(self, limit=None):
            yield 0, PostData(1.0, context=7)

    assert "context 7, which is not in Box" in one_promise_broken(check_face, Seen())


POSTING = {
    "async": (HIDDEN, "score(0) returned an awaitable"),
    "post returns nothing": ({"post": lambda self, data: None}, "post(data) gave None as an id"),
    "a dict as id": ({"post": lambda self, data: {"uri": 1}}, "{'uri': 1}, which cannot be the"),
    "an id twice": ({"post": lambda self, data: 7}, "gave the id 7 twice"),
    "an id of somebody's post": ({"make_id": None, "post": lambda self, data: -1}, "-1 twice"),
    "scores that are text": ({"score": lambda self, i: "3"}, "returned '3': return a finite"),
    "scores that are arrays": ({"score": lambda self, i: np.array(3.0)}, "array(3.)"),
    "scores that are decimals": ({"score": lambda self, i: Decimal(3)}, "Decimal('3')"),
    "scores that are NaN": ({"score": lambda self, i: float("nan")}, "returned nan"),
    "scores that are infinite": ({"score": lambda self, i: 10**400}, "return a finite number"),
    "scores that are None": ({"score": lambda self, i: None}, "or raise ScorePending"),
    "truth of one number": ({"truth": lambda self, i: 1.0}, "(expected score, best score)"),
    "truth of text": ({"truth": lambda self, i: ("1", "2")}, "two finite numbers"),
    "truth the wrong way round": ({"truth": lambda self, i: (2.0, 1.0)}, "above the best of 1.0"),
    "too few ids": ({"post_many": lambda self, posts: [100]}, "post_many of 2 posts gave 1 ids"),
    "a batch of nothing": ({"post_many": lambda self, posts: None}, "posts returned None"),
    "a batch of one id": ({"post_many": lambda self, posts: [8, 8]}, "gave the id 8 twice"),
    "scores as a dict": (
        {"score_many": lambda self, ids: dict.fromkeys(ids, 1.0)},
        "yield (post id, score) for the scores that are known",
    ),
    "scores nobody asked for": (
        {"score_many": lambda self, ids: [(99, 1.0)]},
        "yielded a score of 99, not asked for",
    ),
    "other scores in a batch": (
        {"score_many": lambda self, ids: [(i, 9.0) for i in ids]},
        "where score gave",
    ),
    "known alone, not in a batch": ({"score_many": lambda self, ids: []}, "score_many gave None"),
}  # fmt: skip


@pytest.mark.parametrize(("members", "line"), POSTING.values(), ids=POSTING)
def test_with_posts_it_names(members, line):
    members = {name: member for name, member in members.items() if member is not None}
    lines = promises_broken(check_face, broken(WallFace, **members), NUMBERS)
    assert any(line in found for found in lines), lines
    assert len(lines) <= 3, lines


def test_a_post_is_not_the_faces_to_change():
    class Shouting(WallFace):
        def post(self, data):
            data.x = data.x + 100
            return super().post(data)

    posts = [PostData(1.0), PostData(2.0)]
    lines = promises_broken(check_face, Shouting(), posts)
    for line, x in zip(lines, (1.0, 2.0), strict=True):
        assert line.startswith(f"it changed PostData(x={x}, context=None), which it was given")
    assert posts == [PostData(1.0), PostData(2.0)]


def test_a_face_that_is_not_idempotent_must_not_say_so():
    class Boastful(WallFace):
        idempotent = True

    lines = promises_broken(check_face, Boastful(), NUMBERS)
    assert len(lines) == 2
    assert all("make no second post, or leave idempotent False" in line for line in lines)


def test_a_batch_that_pends_may_know_more_later():
    class Slow(WallFace):
        def score(self, post_id):
            raise ScorePending

    check_face(Slow(), NUMBERS)


class MovesOnTwice(Moody):
    idempotent = True

    def post(self, data):
        if data.key in self._made:
            super().post(PostData(data.x))
        return super().post(data)


class KeysByContent(Moody):
    def post(self, data):
        return super().post(PostData(data.x, key=data.key and len(data.x)))


class SharesScrap(Moody):
    def scrap(self, limit=None):
        self._rng.random()
        return super().scrap(limit)


class Unreset(Moody):
    def restart(self, rng):
        first = getattr(self, "_next_id", 0)
        super().restart(rng)
        self._next_id = first


class OwnNoise(Moody):
    noise = np.random.default_rng(0)

    def score(self, post_id):
        return super().score(post_id) + self.noise.random()

    def __deepcopy__(self, memo):
        twin = OwnNoise()
        twin.noise = self.noise
        return twin


class OwnScrape(Moody):
    def __init__(self):
        super().__init__()
        self.own = np.random.default_rng()

    def scrap(self, limit=None):
        for number in range(limit):
            yield number - 100, PostData(int(self.own.integers(10**9)))


class OnTheClass(Moody):
    taste = [0.0]  # noqa: RUF012 - the mistake

    def score(self, post_id):
        return super().score(post_id) + self.taste[0]

    def post(self, data):
        self.taste[0] += 1
        return super().post(data)

    def restart(self, rng):
        self.taste[0] = 0.0
        super().restart(rng)


class Batches(Moody):
    def post_many(self, posts):
        return list(super().post_many(sorted(posts, key=lambda post: post.x)))


class PlaysOtherwise(Moody):
    def play(self, actions):
        ids, (score, expected, best) = super().play(actions)
        return ids, (score * 2, expected, best)


class PlaysOneOtherwise(Moody):
    def play_one(self, action):
        post_id, (score, expected, best) = super().play_one(action)
        return post_id, (score * 2, expected, best)


class NeverKnown(Moody):
    def score(self, post_id):
        raise ScorePending


SIMULATED = {
    MovesOnTwice: "sending keys again changed the ids or scores of later posts",
    KeysByContent: "post(data) with a key gave the id 0 twice",
    SharesScrap: "scraping changed the ids or scores of later posts",
    Unreset: "after restart(rng) with the same seed the same posts got other ids or scores",
    OwnScrape: "scrap yielded other posts after restart(rng) with the same seed",
    Batches: "post_many and score_many gave other ids or scores than post and score one by one",
    PlaysOtherwise: "play gave other ids or scores than post, score and truth",
    PlaysOneOtherwise: "play_one gave other ids or scores than post, score and truth",
    NeverKnown: "is pending after 10,000 calls of wait(1.0): let time pass in wait",
}


@pytest.mark.parametrize(("kind", "line"), SIMULATED.items(), ids=lambda each: str(each)[:30])
def test_a_simulated_face_that_is_no_world_of_its_own_is_named(kind, line):
    assert line in one_promise_broken(check_face, kind(), TOPICS)


def test_state_on_the_class_is_named():
    lines = promises_broken(check_face, OnTheClass(), TOPICS)
    assert any("changed the original: keep all state on self" in line for line in lines)


def test_noise_that_is_not_of_the_world_shows_in_every_comparison():
    lines = promises_broken(check_face, OwnNoise(), TOPICS)
    assert any("draw only from rng or its children" in line for line in lines)


def test_a_simulated_face_that_cannot_be_copied_is_named_and_the_rest_checked():
    face = Moody()
    face.lock = threading.Lock()
    line = one_promise_broken(check_face, face, TOPICS)
    assert line.startswith("copy.deepcopy(Moody) raised TypeError")


class Rescored(FaceWrapper):
    def score(self, post_id):
        return self.face.score(post_id) / 2


class Tagged(FaceWrapper):
    passes_key = True

    def post(self, data):
        return self.face.post(replace(data, context="tagged"))


class Halved(Tagged):
    passes_on = frozenset({Observes})

    def observe(self, count):
        return self._inside(Observes).observe(count)


class LosesKeys(FaceWrapper):
    passes_key = True

    def post(self, data):
        return self.face.post(PostData(data.x))


class RestartsHalf(FaceWrapper):
    def restart(self, rng):
        self.restarted = True


class Scraping(FaceWrapper):
    def scrap(self, limit=None):
        for post_id, post in self.face.scrap(limit):
            yield post_id, replace(post, x=f"{post.x}!")

    def scrap_scored(self, limit=None):
        return self.face.scrap_scored(limit)


@pytest.mark.parametrize("wrap", [Rescored, Tagged, Halved])
def test_a_wrapper_of_ones_own_keeps_its_promises(wrap):
    check_face(wrap(moody_face()), TOPICS)
    check_face(wrap(OnceFace()), NUMBERS)


WRAPPERS = {
    "keys that get lost": (LosesKeys, moody_face, "post gave a key that it had seen the id"),
    "a restart that ends here": (RestartsHalf, moody_face, "reset everything in restart"),
    "a scrape beside another": (Scraping, ScoredFace, "scrap_scored yielded other posts than"),
    "names in words": (
        type("Named", (FaceWrapper,), {"hides": frozenset({"restart"})}),
        moody_face,
        "hides is frozenset({'restart'}): name Protocols of kilroy_gym.interfaces",
    ),
    "nothing inside": (
        type("Empty", (FaceWrapper,), {"__init__": lambda self, face: None}),
        moody_face,
        "call super().__init__(face) in its __init__",
    ),
}


@pytest.mark.parametrize(("wrap", "make", "line"), WRAPPERS.values(), ids=WRAPPERS)
def test_of_wrappers_it_names(wrap, make, line):
    face = make()
    posts = TOPICS if isinstance(face, SimulatedFace) else NUMBERS
    lines = promises_broken(check_face, wrap(face), posts)
    assert any(line in found for found in lines), lines


# --- several, and at the door ---------------------------------------------------------------


def test_every_broken_promise_has_a_line_of_its_own():
    face = broken(
        WallFace,
        idempotent=1,
        observation_space=Discrete(2),
        scrap=scraping((1, PostData(1)), (1, PostData("a\n\n  b"))),
        post=lambda self, data: [],
        score=lambda self, post_id: "many\nlikes",
    )
    lines = promises_broken(check_face, face, NUMBERS)
    assert len(lines) >= 4


def test_all_methods_async_is_said_to_be_not_supported_yet():
    names = {"scrap": a_scrap, "post": a_post, "score": a_score, "post_many": a_post}
    face = broken(WallFace, **names, score_many=a_score, close=a_post)
    line = one_promise_broken(check_face, face)
    assert "close, which is not supported yet: make every method a plain one" in line


@pytest.mark.parametrize(
    ("face", "line"), [(3, "3 is not a KilroyFace"), (WallFace, "an instance")]
)
def test_what_is_no_face_is_named(face, line):
    assert line in one_promise_broken(check_face, face)


@pytest.mark.parametrize(
    ("posts", "error"), [(["hello"], TypeError), ([], ValueError), ([1], TypeError)]
)
def test_posts_must_be_posts(posts, error):
    face = WallFace()
    with pytest.raises(error, match="posts must"):
        check_face(face, posts)
    assert face.posts == []


def test_a_face_is_a_kilroy_face():
    assert issubclass(WallFace, KilroyFace)


class NewPost(FaceWrapper):
    def post(self, data):
        return self.face.post(PostData(data.x))


class SamePost(FaceWrapper):
    passes_key = True

    def post(self, data):
        return self.face.post(replace(data, x=data.x))


def test_a_wrapper_that_loses_what_travels_with_a_post_is_told():
    posts = [PostData(1), PostData(2)]
    check_face(SamePost(WallFace()), posts)
    with pytest.raises(AssertionError, match=r"NewPost.post\(data\) made a new post"):
        check_face(FaceWrapper(NewPost(SamePost(WallFace()))), posts)
