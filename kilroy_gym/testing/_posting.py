"""What a Face promises when it posts."""

import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from kilroy_gym.codecs.base import short
from kilroy_gym.interfaces import (
    AnyId,
    PassesTime,
    PlaysActions,
    Simulated,
    find,
)
from kilroy_gym.post import AnyPost
from kilroy_gym.testing._calls import (
    Face,
    Posts,
    call_post,
    call_post_many,
    call_score,
    call_score_many,
    call_truth,
)
from kilroy_gym.testing._promises import Promises, Unkept
from kilroy_gym.testing._values import equal

Outcome = list[tuple[Any, float | None, Any]]
"""Per post the id, the score where it is known, and the truth where the Face knows it."""
SEED = 0
WAITS = 10_000
"""So often time passes at most until a score is known, on a Face with a time of its own."""


def started_over(face: Face) -> Face:
    """Starts a simulated Face over, always in the same world, and returns it."""
    simulated = find(face, Simulated)
    if simulated is not None:
        simulated.restart(np.random.default_rng(SEED))
    return face


def check_live_posting(promises: Promises, face: Face, posts: Posts, seen: set[Any]) -> None:
    """Posts each of ``posts`` once, every second one in a batch, and asks for the scores.

    Args:
        promises: Where broken promises go.
        face: The Face itself.
        posts: What to post.
        seen: The ids that were scraped.
    """
    made: list[Any] = []
    for post in _keyed(posts[::2]) if face.idempotent else posts[::2]:
        with promises.section():
            post_id = call_post(promises, face, post)
            if promises.check_id("post(data)", post_id, seen):
                made.append(post_id)
            if face.idempotent:
                _check_again(promises, face, post, post_id)
    if posts[1::2]:
        with promises.section():
            batch = call_post_many(promises, face, posts[1::2])
            made += [each for each in batch if promises.check_id("post_many(posts)", each, seen)]
    before = [call_score(promises, face, post_id) for post_id in made]
    many = call_score_many(promises, face, made)
    after = [call_score(promises, face, post_id) for post_id in made]
    for post_id, one, score, other in zip(made, before, many, after, strict=True):
        if equal(one, other):  # else it changes meanwhile, and nothing can be said
            line = f"score_many gave {score!r} for {short(post_id)} where score gave {one!r}"
            promises.need(equal(one, score), f"{line}: let both give the same")
        call_truth(promises, face, post_id)


def check_simulated_posting(promises: Promises, world: Callable[[], Face], posts: Posts) -> None:
    """Posts to copies of a simulated Face.

    Args:
        promises: Where broken promises go.
        world: Gives such a copy, at the start of its time.
        posts: What to post.
    """
    posts = list(_taken(promises, world(), posts))
    promises.need(bool(posts), "post(data) refused every one of the posts: give some that it takes")
    face = world()
    seen = {post_id for post_id, _ in islice(face.scrap(20), 20)}
    face = world()
    first = _outcome(promises, face, posts)
    for post_id, _, _ in first:
        promises.check_id("post(data)", post_id, seen)
    _check_known_in_time(promises, face, [post_id for post_id, _, _ in first])
    for line, outcome in _twins(promises, world, posts):
        promises.keep(equal(first, outcome), line)
    if face.idempotent:
        with promises.section():
            _check_keys(promises, world, _keyed(posts))
    with promises.section():
        _check_plays(promises, world, posts, first)


def _twins(
    promises: Promises, world: Callable[[], Face], posts: Posts
) -> Iterator[tuple[str, Outcome]]:
    """Yields what must come to the same as posting one by one, with what to say where not."""
    yield (
        "post_many and score_many gave other ids or scores than post and score one by one: let "
        "them do the same, or leave them out, since KilroyFace has both",
        _outcome(promises, world(), posts, batch=True),
    )
    face = world()
    _outcome(promises, face, posts)
    yield (
        "after restart(rng) with the same seed the same posts got other ids or scores: draw only "
        "from rng or its children, and reset everything in restart",
        _outcome(promises, started_over(face), posts),
    )
    face = world()
    list(islice(face.scrap(5), 5))
    yield (
        "scraping changed the ids or scores of later posts: give scrap a random stream of its own, "
        "by rng.spawn in restart",
        _outcome(promises, face, posts),
    )
    face = world()
    _outcome(promises, deepcopy(face), posts)
    yield (
        "posting to a deep copy changed the original: keep all state on self, not on the class",
        _outcome(promises, face, posts),
    )


def _outcome(promises: Promises, face: Face, posts: Posts, batch: bool = False) -> Outcome:
    if batch:
        ids = call_post_many(promises, face, posts)
        scores = call_score_many(promises, face, ids)
    else:
        ids = [call_post(promises, face, post) for post in posts]
        scores = [call_score(promises, face, post_id) for post_id in ids]
    truths = [call_truth(promises, face, post_id) for post_id in ids]
    return list(zip(ids, scores, truths, strict=True))


def _taken(promises: Promises, face: Face, posts: Posts) -> Iterator[AnyPost]:
    for post in posts:
        try:
            call_post(promises, face, post)
        except Unkept:
            continue
        yield post


def _check_known_in_time(promises: Promises, face: Face, ids: Sequence[Any]) -> None:
    """Lets time pass until all scores are known."""
    passes = find(face, PassesTime)
    if passes is None:
        return
    for _ in range(WAITS):
        ids = [post_id for post_id in ids if call_score(promises, face, post_id) is None]
        if not ids:
            return
        promises.call("wait(1.0)", passes.wait, 1.0)
    line = f"score({short(ids[0])}) is pending after {WAITS:,} calls of wait(1.0)"
    promises.broken(f"{line}: let time pass in wait")


def _keyed(posts: Posts) -> list[AnyPost]:
    """Returns copies with keys, as a run makes them, of a second ago."""
    start = time.time_ns() // 1000 - 1_000_000
    return [replace(post, key=start + 1000 * number) for number, post in enumerate(posts)]


def _check_again(promises: Promises, face: Face, post: AnyPost, post_id: AnyId) -> None:
    again = call_post(promises, face, post)
    line = f"it is idempotent, but post gave a key that it had seen the id {short(again)}"
    advice = f"return the first one, {short(post_id)}, and make no second post"
    promises.keep(equal(again, post_id), f"{line}: {advice}, or leave idempotent False")


def _check_keys(promises: Promises, world: Callable[[], Face], posts: Posts) -> None:
    """Sends every key twice, which must come to the same as sending every key once."""
    once, face, seen, ids = _outcome(promises, world(), posts), world(), set[Any](), []
    for post_id, _, _ in once:
        promises.check_id("post(data) with a key", post_id, seen)
    for post in posts:
        ids.append(call_post(promises, face, post))
        _check_again(promises, face, post, ids[-1])
    scores = [call_score(promises, face, post_id) for post_id in ids]
    line = "sending keys again changed the ids or scores of later posts"
    same = equal([entry[:2] for entry in once], list(zip(ids, scores, strict=True)))
    promises.keep(same, f"{line}: a key that was seen must make no post and move nothing")


def _check_plays(
    promises: Promises, world: Callable[[], Face], posts: Posts, first: Outcome
) -> None:
    """Plays the posts as actions, which must come to the same as posting and scoring them."""
    batch, single = world(), world()  # only the outermost layer plays: one inside knows no wrapper
    if not (isinstance(batch, PlaysActions) and isinstance(single, PlaysActions)):
        return
    if not batch.plays_actions:
        return
    right = "let it be the same as post, score and truth, or let plays_actions be False"
    actions = batch.codec.check_actions(batch.codec.encode_many(post.x for post in posts))
    ids, values = promises.call("play(actions)", batch.play, actions, advice=right)
    columns = [np.broadcast_to(value, len(posts)).tolist() for value in values]
    played = list(zip(np.asarray(ids).tolist(), *columns, strict=True))
    ones = [promises.call("play_one(action)", single.play_one, a) for a in actions]
    one_by_one = [(post_id, *map(float, values)) for post_id, values in ones]
    for name, found in (("play", played), ("play_one", one_by_one)):
        same = all(
            equal(post_id, other) and score in (None, got) and truth in (None, (expected, best))
            for (post_id, score, truth), (other, got, expected, best) in zip(
                first, found, strict=True
            )
        )
        promises.keep(same, f"{name} gave other ids or scores than post, score and truth: {right}")
