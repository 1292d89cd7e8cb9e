"""The rounds of an agent: what was drafted, what of it is posted, and what it scored."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from kilroy_gym.adapters.environments import kilroy_envs
from kilroy_gym.adapters.whole_posts import WholePosts
from kilroy_gym.codecs import Codec
from kilroy_gym.interfaces import PlaysRounds, Round
from kilroy_gym.post import PostData

Draft = tuple[Any, PostData[Any]]
"""What a module wrote: its own id for it, and the post."""
Write = Callable[[npt.NDArray[Any], Sequence[Draft]], Sequence[Draft]]
"""From what is observed before each post, and the drafts of the round so far, to new drafts."""


@dataclass
class OpenRound:
    """A round that goes out; an error or an interrupt leaves it as far as it had come.

    Attributes:
        drafts: What was written for it so far.
        post_ids: The ids of the first of them, which are posted.
        posts: What was posted, as the environment tells it; empty where nobody asks for it.
        scores: Their scores; ``None`` where one is pending.
        arrived: Scores of posts of earlier steps that became known meanwhile, by post id.
        truths: What is known of the scores' distributions, an array per step.
    """

    drafts: list[Draft] = field(default_factory=list)
    post_ids: list[Any] = field(default_factory=list)
    posts: list[PostData[Any]] = field(default_factory=list)
    scores: list[float | None] = field(default_factory=list)
    arrived: dict[Any, float] = field(default_factory=dict)
    truths: dict[str, list[npt.NDArray[np.float64]]] = field(default_factory=dict)

    @property
    def to_send(self) -> list[Draft]:
        """The drafts of the step that goes out, or of the one that was broken off."""
        return self.drafts[len(self.post_ids) :]

    def add(self, rewards: npt.NDArray[np.float64], infos: dict[str, Any]) -> None:
        """Takes what a step of the environment returned for the drafts that it sent."""
        final_info = infos["final_info"]
        post_ids = final_info["post_id"].tolist()
        pending = final_info.get("pending", np.zeros(len(post_ids), np.bool_))
        known = zip(rewards.tolist(), pending, strict=True)
        self.scores += [None if late else reward for reward, late in known]
        self.post_ids += post_ids
        self.arrived.update(infos.get("arrived", {}))
        for key in {"expected_score", "best_score"} & final_info.keys():
            self.truths.setdefault(key, []).append(final_info[key])

    def told(self, number: int, metrics: dict[str, float]) -> Round:
        """Returns what happened, for a callback."""
        truths = {f"{key}s": np.concatenate(parts) for key, parts in self.truths.items()}
        return Round(
            number, self.post_ids, self.posts, self.scores, self.arrived, metrics, **truths
        )


class Rounds:
    """Owns what an agent has under way on an environment.

    After an error or an interrupt it goes on: the next round is the rest of the one that was
    broken off, in this object or, by :meth:`take_up`, in a new process.

    Args:
        env: A vector environment in which a step makes a post in every slot.
        size: Posts in a round, a multiple of the slots.

    Attributes:
        current: The round that goes out; it is empty between rounds.
        open_drafts: The drafts whose scores are pending, by post id.
        keeps_posts: Whether somebody wants to be told what was posted.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], size: int) -> None:
        """Has nothing under way."""
        self.env, self.size = env, size
        self.current = OpenRound()
        self.open_drafts: dict[Any, Any] = {}
        self.keeps_posts = True
        self._inside = kilroy_envs(env)
        self._broken = False
        self._known_ids: Mapping[int, Any] | None = None

    def take_up(
        self,
        drafts: Sequence[Draft],
        open_drafts: Mapping[Any, Any],
        post_ids: Mapping[int, Any],
    ) -> None:
        """Goes on with a round that another process began, or that a journal knows better.

        Args:
            drafts: What was written for it.
            open_drafts: The drafts of earlier rounds whose scores are pending, by post id.
            post_ids: The ids of the drafts that are posted, by their number in the round.
        """
        self.current = OpenRound(list(drafts))
        self.open_drafts = dict(open_drafts)
        self._broken, self._known_ids = True, post_ids

    @contextmanager
    def unbroken(self) -> Iterator[None]:
        """Takes up what was broken off before, and remembers where the block is broken off."""
        if self._broken:
            for inside in self._inside:
                inside.resume(self._known_ids)
        self._broken, self._known_ids = True, None
        # A reset never touches the platform; it begins the first episodes.
        self.env.reset()
        yield
        self._broken = False

    def play(self, write: Write) -> tuple[OpenRound, dict[Any, float]]:
        """Plays a round, or the rest of one.

        Args:
            write: Called for the drafts of a step, before any of them is sent.

        Returns:
            The round, and every score that became known, by draft id.
        """
        playing = self.current
        while len(playing.post_ids) < self.size:
            if not playing.to_send:
                playing.drafts += write(self._contexts(), playing.drafts)
            _, rewards, _, _, infos = self.env.step(self._actions(playing.to_send))
            if self.keeps_posts:
                playing.posts += self._last_posts()
            playing.add(rewards, infos)
        self.current = OpenRound()  # from here on nothing of it is sent or learned again
        scores: dict[Any, float] = {}
        for (draft_id, _), post_id, score in zip(
            playing.drafts, playing.post_ids, playing.scores, strict=True
        ):
            if score is None:
                self.open_drafts[post_id] = draft_id
            else:
                scores[draft_id] = score
        return playing, scores | self._of_drafts(playing.arrived)

    def drain(self) -> tuple[dict[Any, float], dict[Any, float]]:
        """Waits for every score that is pending; returns them by post id and by draft id."""
        inside = self._inside[0]
        arrived = inside.drain() if self.open_drafts and isinstance(inside, PlaysRounds) else {}
        return arrived, self._of_drafts(arrived)

    def _of_drafts(self, arrived: Mapping[Any, float]) -> dict[Any, float]:
        """Returns scores that came late by draft id; of others' posts there is no draft."""
        return {
            self.open_drafts.pop(post_id): score
            for post_id, score in arrived.items()
            if post_id in self.open_drafts
        }

    def _actions(self, drafts: Sequence[Draft]) -> Any:
        return actions_of(self._inside[0].codec, [post for _, post in drafts])

    def _contexts(self) -> npt.NDArray[Any]:
        """Returns what is observed before each of the next posts, as Faces give it."""
        if len(self._inside) == 1:
            return self._inside[0].contexts
        return np.concatenate([inside.contexts for inside in self._inside])

    def _last_posts(self) -> list[PostData[Any]]:
        """Returns what the last step posted, in slot order."""
        if isinstance(self.env, WholePosts):
            return self.env.last_posts
        return [post for inside in self._inside for post in inside.last_posts]


def actions_of(codec: Codec[Any] | None, posts: Sequence[PostData[Any]]) -> Any:
    """Returns posts as a batch of actions: themselves where there is no codec."""
    return posts if codec is None else codec.encode_many(post.x for post in posts)
