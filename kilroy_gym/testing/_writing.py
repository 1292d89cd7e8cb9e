"""A module that is tried out, call by call."""

from collections.abc import Hashable, Iterable, Sequence
from copy import deepcopy
from itertools import cycle
from typing import Any

import numpy as np

from kilroy_gym.codecs.base import short
from kilroy_gym.interfaces import AnyId, Observation
from kilroy_gym.modules import KilroyModule
from kilroy_gym.modules.base import AnyModule
from kilroy_gym.post import AnyPost, PostData
from kilroy_gym.testing._promises import Promises, Unkept
from kilroy_gym.testing._values import equal

Draft = tuple[Hashable, AnyPost]


class Writer:
    """Calls a module's methods and checks what each returns.

    Args:
        promises: Where broken promises go.
        module: The module, which is changed.
        observations: What it observes, over and over; not used where it observes nothing.
        when: What was done before, in words, for the lines of broken promises.

    Attributes:
        module: The module as it is now.
        open: The posts of the drafts that have no score yet, by draft id.
    """

    def __init__(
        self,
        promises: Promises,
        module: AnyModule,
        observations: Sequence[Any],
        when: str = "",
    ) -> None:
        """Starts with no drafts."""
        self.module = module
        self.open: dict[Any, AnyPost] = {}
        self._promises = promises
        self._observations = cycle(observations)
        self._when = when
        self._written: list[tuple[AnyPost, AnyPost]] = []

    def write(self, count: int) -> list[Draft]:
        """Lets the module write, draft by draft."""
        return [self._write() for _ in range(count)]

    def write_many(self, count: int) -> list[Draft]:
        """Lets the module write a batch, as an environment does."""
        observations = [next(self._observations) for _ in range(count)]
        shown = f"generate_many({count}, observations){self._when}"
        advice = f"return {count} drafts, each (draft id, PostData(x))"
        many = self.module.generate_many
        drafts = self._promises.call(shown, many, count, observations, advice=advice)
        fits = isinstance(drafts, Sequence) and len(drafts) == count
        self._promises.need(fits, f"{shown} returned {short(drafts)}: {advice}")
        return [self._taken(shown, *pair) for pair in zip(drafts, observations, strict=True)]

    def mimic(self, posts: Sequence[AnyPost]) -> None:
        """Lets the module mimic a batch."""
        before, posts = posts, deepcopy(posts)
        shown = f"mimic of {len(posts)} post{'s' if len(posts) > 1 else ''}{self._when}"
        advice = "take a list of at least one post"
        self._follow(shown, self._promises.call(shown, self.module.mimic, posts, advice=advice))
        same = equal(before, posts)
        self._promises.keep(same, "mimic changed the posts that it was given: change copies")

    def reinforce(self, scores: dict[AnyId, float], advice: str = "") -> None:
        """Gives the module the scores of some of its drafts."""
        before = dict(scores)
        shown = f"reinforce({short(scores)}){self._when}"
        advice = advice or "take the scores of any drafts that have none yet, whatever their order"
        reinforce = self.module.reinforce
        self._follow(shown, self._promises.call(shown, reinforce, scores, advice=advice))
        same = before == scores
        self._promises.keep(same, "reinforce changed the scores that it was given: change a copy")
        for draft_id in before:
            self.open.pop(draft_id, None)

    def forget(self, draft_ids: Iterable[Any]) -> None:
        """Lets the module drop drafts."""
        dropped = list(draft_ids)
        shown = f"forget({short(dropped)}){self._when}"
        advice = "take the ids of drafts that will get no score"
        self._promises.call(shown, self.module.forget, dropped, advice=advice)
        for draft_id in dropped:
            self.open.pop(draft_id, None)

    def check_unchanged(self) -> None:
        """Checks that no post has changed since it was written."""
        for post, before in self._written:
            line = f"a post was {short(before)} when it was written and is {short(post)} later"
            self._promises.keep(equal(post, before), f"{line}: give a copy of what you go on with")

    def _write(self) -> Draft:
        module: Any = self.module
        observation = next(self._observations)
        arguments = (observation,) if module.uses_observation else ()
        shown = f"generate({short(observation) if arguments else ''}){self._when}"
        advice = (
            "return (draft id, PostData(x)); where it must mimic before it can write, give the "
            "check posts=[...]; where it takes the observation, set uses_observation = True"
        )
        draft = self._promises.call(shown, module.generate, *arguments, advice=advice)
        return self._taken(shown, draft, observation)

    def _taken(self, shown: str, draft: Any, observation: Observation) -> Draft:
        """Checks a draft and keeps a copy of its post."""
        fits = isinstance(draft, tuple) and len(draft) == 2
        line = f"{shown} gave {short(draft)}: return (draft id, PostData(x))"
        self._promises.need(fits, line)
        draft_id, post = draft
        turned = isinstance(draft_id, PostData)
        line = f"{shown} gave a post as id: the wrong way round, return (draft id, PostData(x))"
        self._promises.need(not turned, line)
        fits = self._promises.check_post(shown, post)
        if not (fits and self._promises.check_id(shown, draft_id, set(self.open))):
            raise Unkept
        values = np.asarray(post.x) if isinstance(post.x, (float, np.ndarray, np.generic)) else None
        broken = values is not None and values.dtype.kind == "f" and not np.isfinite(values).all()
        line = f"{shown} gave {short(post)}: a number that is written must be finite"
        self._promises.keep(not broken, line)
        if self.module.uses_observation:
            line = f"{shown} gave a post with context {short(post.context)}"
            same = equal(post.context, observation)
            self._promises.keep(same, f"{line}: give it the observation, {short(observation)}")
        self.open[draft_id] = post
        self._written.append((post, deepcopy(post)))
        return draft_id, post

    def _follow(self, shown: str, module: Any) -> None:
        line = f"{shown} returned {short(module)}: return self, or a new module"
        self._promises.need(isinstance(module, KilroyModule), line)
        self.module = module
