"""Existing posts of an environment's Face, for its agent to mimic."""

from collections.abc import Callable, Iterable
from typing import Any

from kilroy_gym.adapters.environments import kilroy_env
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.data.scrape import Scrape
from kilroy_gym.interfaces import Agent, AnyEnv, PlaysModule, ScoredPost, ScrapsScored, find


def scrape_of(
    env: AnyEnv, agent: Agent, limit: int | None, strict: bool, scored: bool
) -> Scrape[Any]:
    """Returns the existing posts that an agent can mimic.

    Args:
        env: A Kilroy environment.
        agent: The agent; if its module has a codec, posts must be encodable by that too.
        limit: As for :class:`Scrape`.
        strict: As for :class:`Scrape`.
        scored: Whether scores are needed.

    Raises:
        TypeError: Scores are needed, but the Face does not provide them.
    """
    scrap = scrap_scored_of(env) if scored else kilroy_env(env).scrap
    own: AnyCodec | None = agent.module.codec if isinstance(agent, PlaysModule) else None
    codecs = {id(codec): codec for codec in (kilroy_env(env).codec, own)}
    taken = [codec for codec in codecs.values() if codec is not None]
    return Scrape(scrap(limit), taken, limit, strict, scored)


def scrap_scored_of(env: AnyEnv) -> Callable[[int | None], Iterable[ScoredPost[Any]]]:
    """Returns the ``scrap_scored`` of an environment's Face.

    Raises:
        TypeError: It has none.
    """
    face = kilroy_env(env).face
    scored = find(face, ScrapsScored)
    if scored is None:
        raise TypeError(
            f"{type(face).__name__} has no scrap_scored(limit), so the scores of existing posts "
            "are not known: mimic without weight_by_score, or add that method (see KilroyFace)"
        )
    return scored.scrap_scored
