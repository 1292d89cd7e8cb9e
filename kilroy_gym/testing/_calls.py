"""Calling a Face, and checking what it returns."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from kilroy_gym.codecs import UnencodablePost
from kilroy_gym.codecs.base import short
from kilroy_gym.interfaces import (
    AnyFace,
    AnyId,
    KnowsTruth,
    PostRefused,
    ScorePending,
    find,
)
from kilroy_gym.post import AnyPost
from kilroy_gym.testing._promises import Promises
from kilroy_gym.testing._values import equal, is_number

Face = AnyFace
Posts = Sequence[AnyPost]
REFUSALS = (PostRefused, UnencodablePost)
TOLERANCE = 1e-9


def call_post(promises: Promises, face: Face, post: AnyPost) -> Any:
    """Makes a post and returns its id."""
    before, post = post, deepcopy(post)
    post_id = promises.call(f"post({short(post)})", face.post, post, lets=REFUSALS)
    _check_unchanged(promises, before, post)
    return post_id


def call_post_many(promises: Promises, face: Face, posts: Posts) -> list[Any]:
    """Makes a batch of posts and returns their ids."""
    before, posts = posts, deepcopy(posts)
    advice = "yield the id of each post as soon as it is made"
    shown = f"post_many of {len(posts)} posts"
    found = promises.call(shown, face.post_many, iter(posts), advice=advice, lets=REFUSALS)
    promises.need(isinstance(found, Iterable), f"{shown} returned {short(found)}: {advice}")
    ids = promises.call(shown, list, found, advice=advice, lets=REFUSALS)
    promises.need(len(ids) == len(posts), f"{shown} gave {len(ids)} ids: {advice}")
    for kept, post in zip(before, posts, strict=True):
        _check_unchanged(promises, kept, post)
    return list(ids)


def _check_unchanged(promises: Promises, before: AnyPost, post: AnyPost) -> None:
    line = f"it changed {short(before)}, which it was given to post, to {short(post)}"
    promises.need(equal(before, post), f"{line}: change a copy (dataclasses.replace)")


def call_score(promises: Promises, face: Face, post_id: AnyId) -> float | None:
    """Returns a score, ``None`` where it is pending."""

    def score() -> Any:
        try:
            return face.score(post_id)
        except ScorePending:
            return ScorePending

    advice = "return a finite number, or raise ScorePending where it is not known yet"
    shown = f"score({short(post_id)})"
    found = promises.call(shown, score, advice=advice)
    if found is ScorePending:
        return None
    promises.need(is_number(found), f"{shown} returned {short(found)}: {advice}")
    return float(found)


def call_score_many(promises: Promises, face: Face, ids: Sequence[Any]) -> list[float | None]:
    """Returns the scores of a batch, ``None`` where one is pending."""
    advice = "yield (post id, score) for the scores that are known, and leave out those pending"
    shown = f"score_many of {len(ids)} posts"
    found = promises.call(shown, face.score_many, ids, advice=advice)
    promises.need(isinstance(found, Iterable), f"{shown} returned {short(found)}: {advice}")
    scores: dict[AnyId, float] = {}
    for entry in promises.call(shown, list, found, advice=advice):
        pair = isinstance(entry, (tuple, list)) and len(entry) == 2
        promises.need(pair, f"{shown} yielded {short(entry)}: {advice}")
        post_id, score = entry
        asked = post_id in ids and post_id not in scores
        promises.need(
            asked, f"{shown} yielded a score of {short(post_id)}, not asked for: {advice}"
        )
        promises.need(is_number(score), f"{shown} yielded the score {short(score)}: {advice}")
        scores[post_id] = float(score)
    return [scores.get(post_id) for post_id in ids]


def call_truth(promises: Promises, face: Face, post_id: AnyId) -> Any:
    """Returns the truth about a post, ``None`` where the Face does not know it."""
    knows = find(face, KnowsTruth)
    if knows is None:
        return None
    advice = "return (expected score, best score), two finite numbers"
    shown = f"truth({short(post_id)})"
    found = promises.call(shown, knows.truth, post_id, advice=advice)
    fits = isinstance(found, tuple) and len(found) == 2 and all(map(is_number, found))
    promises.need(fits, f"{shown} returned {short(found)}: {advice}")
    check_best(promises, shown, *found)
    return found


def check_best(promises: Promises, shown: str, expected: float, best: float) -> None:
    """Notes an expected score above the best."""
    line = f"{shown} gave an expected score of {expected!r}, above the best of {best!r}"
    fits = expected <= best + TOLERANCE * max(1.0, abs(best))
    promises.need(fits, f"{line}: best is what the best post could be expected to score then")
