"""The rounds of an agent: drafts, the posts made from them, and their scores."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kilroy_gym.adapters.environments import kilroy_envs
from kilroy_gym.adapters.whole_posts import WholePosts
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.interfaces import Action, AnyArray, AnyId, AnyVectorEnv, Info, PlaysRounds, Round
from kilroy_gym.post import AnyPost

Draft = tuple[AnyId, AnyPost]
"""A draft id and the post that a module wrote."""
Write = Callable[[AnyArray, Sequence[Draft]], Sequence[Draft]]
"""Maps the observations before the next posts, and the round's drafts so far, to new drafts."""


@dataclass
class OpenRound:
    """A round under way; after an error or interrupt it holds what was done so far.

    Attributes:
        drafts: The drafts written so far.
        post_ids: The ids of those that were posted, in the same order.
        posts: What was posted, as the environment reports it; empty unless kept.
        scores: Their scores; ``None`` if pending.
        arrived: Scores of earlier posts that became known meanwhile, by post id.
        truths: Expected and best scores by key, one float64 array per step.
    """

    drafts: list[Draft] = field(default_factory=list)
    post_ids: list[AnyId] = field(default_factory=list)
    posts: list[AnyPost] = field(default_factory=list)
    scores: list[float | None] = field(default_factory=list)
    arrived: dict[AnyId, float] = field(default_factory=dict)
    truths: dict[str, list[npt.NDArray[np.float64]]] = field(default_factory=dict)

    @property
    def to_send(self) -> list[Draft]:
        """The drafts of the step under way."""
        return self.drafts[len(self.post_ids) :]

    def add(self, rewards: npt.NDArray[np.float64], infos: Info) -> None:
        """Adds what a step of the environment returned."""
        final_info = infos["final_info"]
        post_ids = final_info["post_id"].tolist()
        scores: list[float | None] = rewards.tolist()
        if "pending" in final_info:
            known = zip(scores, final_info["pending"], strict=True)
            scores = [None if late else score for score, late in known]
        self.scores += scores
        self.post_ids += post_ids
        self.arrived.update(infos.get("arrived", {}))
        for key in {"expected_score", "best_score"} & final_info.keys():
            self.truths.setdefault(key, []).append(final_info[key])

    def told(self, number: int, metrics: dict[str, float]) -> Round:
        """Returns the round as callbacks get it."""
        truths = {f"{key}s": np.concatenate(parts) for key, parts in self.truths.items()}
        return Round(
            number, self.post_ids, self.posts, self.scores, self.arrived, metrics, **truths
        )


class Rounds:
    """Owns all that an agent has under way on an environment.

    After an error or interrupt, the next round is the rest of the interrupted one: in this object
    or, by :meth:`take_up`, in a new process.

    Args:
        env: A vector environment in which each step makes a post in every slot.
        size: Posts in a round, a multiple of the slots.

    Attributes:
        current: The round under way; empty between rounds.
        open_drafts: Draft ids of posts whose scores are pending, by post id.
        keeps_posts: Whether to keep what was posted, for callbacks.
        finished: Posts of the finished rounds.
    """

    def __init__(self, env: AnyVectorEnv, size: int) -> None:
        """Starts with nothing under way."""
        self.env, self.size = env, size
        self.current = OpenRound()
        self.open_drafts: dict[AnyId, AnyId] = {}
        self.keeps_posts = True
        self._inside = kilroy_envs(env)
        self.finished = 0
        self._drained: dict[AnyId, float] = {}
        self._broken = False
        self._known_ids: Mapping[int, AnyId] | None = None
        # Steps of each environment inside before the step under way.
        self._steps: list[int] | None = None

    def take_up(
        self,
        drafts: Sequence[Draft],
        open_drafts: Mapping[AnyId, AnyId],
        post_ids: Mapping[int, AnyId],
    ) -> None:
        """Continues a round as another process or a journal recorded it.

        Args:
            drafts: The drafts of the round.
            open_drafts: Draft ids of earlier posts whose scores are pending, by post id.
            post_ids: Post ids of the drafts that were posted, by their position in the round.
        """
        self.current = OpenRound(list(drafts))
        self.open_drafts = dict(open_drafts)
        self._broken, self._known_ids, self._steps = True, post_ids, None

    @contextmanager
    def unbroken(self) -> Iterator[None]:
        """Resumes an interrupted round, and notes whether the block itself is interrupted."""
        if self._broken:
            steps = self._steps or [inside.steps for inside in self._inside]
            for inside, before in zip(self._inside, steps, strict=True):
                # Another slot failed, or a wrapper: what was posted here is not posted again.
                finished = inside.steps > before and not inside.composed
                inside.resume(self._known_ids, repeat=finished)
        self._broken, self._known_ids = True, None
        # A reset never touches the platform; it starts the first episodes.
        self.env.reset()
        yield
        self._broken = False

    def play(self, write: Write) -> tuple[OpenRound, dict[AnyId, float]]:
        """Plays a round, or the rest of one.

        Args:
            write: Writes the drafts of a step, before any of them is sent.

        Returns:
            The round, and all scores that became known, by draft id.
        """
        playing = self.current
        while len(playing.post_ids) < self.size:
            if not playing.to_send:
                playing.drafts += write(self._contexts(), playing.drafts)
            if self._steps is None:
                self._steps = [inside.steps for inside in self._inside]
            _, rewards, _, _, infos = self.env.step(self._actions(playing.to_send))
            self._steps = None
            if self.keeps_posts:
                playing.posts += self._last_posts()
            playing.add(rewards, infos)
        scores: dict[AnyId, float] = {}
        for (draft_id, _), post_id, score in zip(
            playing.drafts, playing.post_ids, playing.scores, strict=True
        ):
            if score is None:
                self.open_drafts[post_id] = draft_id
            else:
                scores[draft_id] = score
        return playing, scores | self._of_drafts(playing.arrived)

    def finish(self) -> None:
        """Ends the round: its scores were learned from, and none of them is again."""
        playing = self.current
        self.current = OpenRound()
        self.finished += len(playing.post_ids)
        for post_id in playing.arrived:
            self.open_drafts.pop(post_id, None)

    def drain(self) -> tuple[dict[AnyId, float], dict[AnyId, float]]:
        """Waits for all pending scores; returns them by post id and by draft id.

        They are returned again until :meth:`finish_drain`.
        """
        inside = self._inside[0]
        if self.open_drafts.keys() - self._drained.keys() and isinstance(inside, PlaysRounds):
            self._drained |= inside.drain()
        return dict(self._drained), self._of_drafts(self._drained)

    def finish_drain(self) -> None:
        """Ends the waiting: the scores were learned from."""
        for post_id in self._drained:
            self.open_drafts.pop(post_id, None)
        self._drained = {}

    def _of_drafts(self, arrived: Mapping[AnyId, float]) -> dict[AnyId, float]:
        """Returns late scores by draft id; leaves out posts without an open draft."""
        return {
            self.open_drafts[post_id]: score
            for post_id, score in arrived.items()
            if post_id in self.open_drafts
        }

    def _actions(self, drafts: Sequence[Draft]) -> Action:
        return actions_of(self._inside[0].codec, [post for _, post in drafts])

    def _contexts(self) -> AnyArray:
        """Returns what is observed before each of the next posts: ``(slots, ...)``."""
        if len(self._inside) == 1:
            return self._inside[0].contexts
        return np.concatenate([inside.contexts for inside in self._inside])

    def _last_posts(self) -> list[AnyPost]:
        """Returns what the last step posted, in slot order."""
        if isinstance(self.env, WholePosts):
            return self.env.last_posts
        return [post for inside in self._inside for post in inside.last_posts]


def actions_of(codec: AnyCodec | None, posts: Sequence[AnyPost]) -> Action:
    """Returns posts as a batch of actions; without a codec, the posts themselves."""
    return posts if codec is None else codec.encode_many(post.x for post in posts)
