"""Every contract between the parts of the package, and what a part can do besides.

A platform is a :class:`KilroyFace`, whoever plays is an :class:`Agent`, and an environment is a
:class:`KilroyEnv`. What some of them can also do is a small Protocol each; :func:`find` tells
whether a part, or something inside its wrappers, can do it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from kilroy_gym.post import PostData, X

if TYPE_CHECKING:
    from kilroy_gym.codecs import Codec

PostId = TypeVar("PostId", bound=Hashable)
Capability = TypeVar("Capability")
AnyEnv = gym.Env[Any, Any] | VectorEnv[Any, Any, Any]
ScoredPost = tuple[Any, PostData[X], float | None]
"""A post that exists already: its id, the post, and its score or ``None``."""

# --- Faces ----------------------------------------------------------------------------------


class ScorePending(Exception):
    """Raised by :meth:`KilroyFace.score` while a score is not known yet; it is asked for again."""


class PostRefused(ValueError):
    """Raised by :meth:`KilroyFace.post` where a post was not made and never will be.

    The message is shown and kept, so it says why and holds no secret. Any other error leaves open
    whether the post was made.

    Attributes:
        key: The key of the post where a journal has it, or ``None``.
    """

    def __init__(self, *args: object, key: int | None = None) -> None:
        """Takes the message."""
        super().__init__(*args)
        self.key = key


class FaceError(RuntimeError):
    """A Face failed in the middle of a round, or returned what cannot be used.

    Nothing is lost: the error carries what the round had done when it stopped. What the Face
    itself raised is the ``__cause__``.

    Attributes:
        posts: The posts of this round that were made, by post id.
        scores: The scores that were known by then, by post id.
    """

    def __init__(
        self, message: str, posts: Mapping[Any, PostData[Any]], scores: Mapping[Any, float]
    ) -> None:
        """Carries ``message`` and copies of what the round had done."""
        super().__init__(message)
        self.posts = dict(posts)
        self.scores = dict(scores)

    def __reduce__(self) -> tuple[Any, ...]:
        """Lets the error cross from a worker process with all it carries."""
        return type(self), (str(self), self.posts, self.scores)


class KilroyFace(ABC, Generic[X, PostId]):
    """A platform: where posts exist already, can be made, and earn scores.

    Three methods are enough. The batch methods have defaults that loop over them; a platform
    that can do better overrides those. What a platform can do besides is a Protocol each, and
    it has the methods of those that it can do: :class:`Simulated`, :class:`ScrapsScored`,
    :class:`KnowsTruth`, :class:`Observes`, :class:`PassesTime`.

    Attributes:
        idempotent: Whether ``post`` makes no second post of a ``data.key`` that it has seen, and
            returns the id of the first. Where it is ``False``, nobody can post safely again
            after an answer was lost, so nobody tries.
    """

    idempotent: bool = False

    @abstractmethod
    def scrap(self, limit: int | None = None) -> Iterator[tuple[PostId, PostData[X]]]:
        """Yields existing posts with their ids.

        Args:
            limit: The most posts to yield, or ``None`` for all that the platform gives.
        """

    @abstractmethod
    def post(self, data: PostData[X]) -> PostId:
        """Makes a post and returns its id: hashable, and never the same twice.

        Args:
            data: The post. Its ``key``, where it has one, belongs to no other post: an idempotent
                platform derives its own name for the post and the time of its creation from it.

        Raises:
            PostRefused: The platform will not have it (optional: any error may be raised).
        """

    @abstractmethod
    def score(self, post_id: PostId) -> float:
        """Returns the score of a post: a finite number.

        Raises:
            ScorePending: The score is not known yet.
        """

    def post_many(self, posts: Iterable[PostData[X]]) -> Iterable[PostId]:
        """Makes posts in order and yields the id of each as soon as it is made.

        The environment paces a round through the iterable, so take each post when it can go out.
        """
        for post in posts:
            yield self.post(post)

    def score_many(self, post_ids: Iterable[PostId]) -> Iterable[tuple[PostId, float]]:
        """Yields ``(post id, score)`` for the scores that are known; pending ones are left out."""
        for post_id in post_ids:
            try:
                score = self.score(post_id)
            except ScorePending:
                continue
            yield post_id, score

    def close(self) -> None:
        """Lets go of files and connections; by default there are none."""


@runtime_checkable
class Simulated(Protocol):
    """A Face whose world starts over and can be copied."""

    def restart(self, rng: np.random.Generator) -> None:
        """Starts over; from now on all randomness comes from ``rng`` or from children of it."""


@runtime_checkable
class KnowsTruth(Protocol):
    """A Face that knows how its scores are drawn."""

    def truth(self, post_id: Any) -> tuple[float, float]:
        """Returns the expected score of a post, and the best that any post could have had then."""


@runtime_checkable
class ScrapsScored(Protocol):
    """A Face that tells the scores of existing posts."""

    def scrap_scored(self, limit: int | None = None) -> Iterator[ScoredPost[Any]]:
        """Yields what ``scrap`` does, each with its score by now, finite, or ``None``."""


@runtime_checkable
class Observes(Protocol):
    """A Face on which there is something to observe before a post.

    Attributes:
        observation_space: The space of one observation.
    """

    observation_space: gym.Space[Any]

    def observe(self, count: int) -> npt.NDArray[Any]:
        """Returns what is observed before each of the next ``count`` posts.

        Returns:
            An array of shape ``(count, *observation_space.shape)``.
        """


@runtime_checkable
class PassesTime(Protocol):
    """A Face with a time of its own, which passes while scores are pending."""

    def wait(self, seconds: float) -> None:
        """Lets time pass, in place of the clock's sleep."""


@runtime_checkable
class PlaysActions(Protocol):
    """A simulated Face that takes the actions of its codec without a Python object per post.

    Attributes:
        codec: Between actions and posts.
        plays_actions: Whether playing actions means the same as posting and scoring them.
    """

    codec: "Codec[Any]"

    @property
    def plays_actions(self) -> bool:
        """Whether ``play`` and ``play_one`` stand for ``post``, ``score`` and ``truth``."""

    def play(self, actions: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], tuple[Any, Any, Any]]:
        """Posts checked actions of shape ``(n, ...)``.

        Returns:
            Post ids, int64 of shape ``(n,)``, and scores, expected and best scores, each a number
            or a float64 array of shape ``(n,)``.
        """

    def play_one(self, action: Any) -> tuple[int, tuple[Any, Any, Any]]:
        """Does what ``play`` does for one action; the three are numbers."""


@runtime_checkable
class WrapsFace(Protocol):
    """A layer around a Face.

    Attributes:
        face: The Face inside.
        hides: What the Face inside can do and this one cannot.
        passes_on: What this one can do only where the Face inside can.
    """

    face: KilroyFace[Any, Any]
    hides: frozenset[type]
    passes_on: frozenset[type]


def find(face: object, capability: type[Capability]) -> Capability | None:
    """Returns the outermost layer of a Face that can do something, ``None`` where none can.

    The layers are walked from the outside in, so what a wrapper overrides is found first.

    Args:
        face: A Face, wrapped or not.
        capability: One of the Protocols of this module.
    """
    own = face if isinstance(face, capability) else None
    if not isinstance(face, WrapsFace):
        return own
    if capability in face.hides:
        return None
    inside = find(face.face, capability)
    alone = inside is None and capability in face.passes_on
    return inside if own is None or alone else own


# --- Agents ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Round:
    """What happened in a round of learning.

    Attributes:
        number: The number of the round in this run, from 1.
        post_ids: The posts that were made, in order: ``n`` of them.
        posts: What was posted, in the same order, as the environment tells it.
        scores: Their scores; ``None`` for those that are pending.
        arrived: Scores of posts of earlier rounds that became known now, by post id.
        metrics: The module's own figures after it was reinforced.
        expected_scores: The mean of each score's distribution, float64 of shape ``(n,)``, or
            ``None`` where the Face does not know the truth.
        best_scores: The best expected score at the time of each post, float64 of shape ``(n,)``,
            or ``None``.
    """

    number: int
    post_ids: Sequence[Any]
    posts: Sequence[PostData[Any]]
    scores: Sequence[float | None]
    arrived: dict[Any, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    expected_scores: npt.NDArray[np.float64] | None = None
    best_scores: npt.NDArray[np.float64] | None = None


Callback = Callable[[Round], bool | None]
"""Called after every round; ``False`` stops the run."""


@runtime_checkable
class Agent(Protocol):
    """Anything that plays and learns, with the signatures of Stable-Baselines3.

    These four methods are enough where the environment is given. What an agent can do besides is
    a Protocol each: :class:`MovesToEnv`, :class:`ClonesPosts`, :class:`PlaysModule`,
    :class:`PlaysOneFace`, :class:`Checkpointable`, :class:`NamesItsFile`.
    """

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """Returns an action for an observation, or a batch for a batch, and the next state."""

    def mimic(self, posts: Sequence[PostData[Any]]) -> object:
        """Learns to write posts like these (one batch)."""

    def learn(
        self, total_timesteps: int, callback: Callback | None = None, progress_bar: bool = False
    ) -> object:
        """Plays and learns; ``total_timesteps`` posts are the most it makes."""

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the agent to a file."""


@runtime_checkable
class MovesToEnv(Protocol):
    """An agent that can move to another environment, and knows how often it learns.

    Attributes:
        update_rate: Posts between two updates.
        rollout: The same for the table of a comparison, such as ``"10"`` or ``"10x4"``.
    """

    @property
    def update_rate(self) -> int:
        """Posts between two updates."""

    @property
    def rollout(self) -> str:
        """The posts between two updates, in words."""

    def set_env(self, env: AnyEnv, update_rate: int | None = None) -> None:
        """Moves to another environment; with ``update_rate`` it learns after that many posts."""


AfterEpoch = Callable[[int, dict[str, float]], bool | None]
"""Called with the number of an epoch and its figures; ``False`` stops."""


@runtime_checkable
class ClonesPosts(Protocol):
    """An agent that fits existing posts in a way of its own, instead of batch by batch."""

    def fine_tune(
        self,
        posts: Sequence[PostData[Any]],
        epochs: int,
        batch_size: int | None,
        rng: np.random.Generator,
        shuffle: bool,
        after_epoch: AfterEpoch | None,
        progress_bar: bool | None,
    ) -> int:
        """Fits posts; returns after how many epochs it was good."""


@runtime_checkable
class PlaysModule(Protocol):
    """An agent behind which a module writes.

    Attributes:
        module: The module as it is now, a :class:`~kilroy_gym.modules.KilroyModule`.
    """

    module: Any


@runtime_checkable
class PlaysOneFace(Protocol):
    """An agent that was made on an environment and plays no other Face.

    Attributes:
        env: The environment.
    """

    @property
    def env(self) -> AnyEnv:
        """The environment that it plays."""

    def check_face(self, face_or_env: KilroyFace[Any, Any] | AnyEnv) -> None:
        """Refuses another Face, or an environment around one, by a ``ValueError``."""


@runtime_checkable
class NamesItsFile(Protocol):
    """An agent whose file has a suffix of its own.

    Attributes:
        file_suffix: The suffix, such as ``".json"``.
    """

    file_suffix: str


@runtime_checkable
class Checkpointable(Protocol):
    """A module or agent that can go on in another process."""

    def state(self) -> dict[str, Any]:
        """Returns all it takes to go on: JSON values, arrays and bytes."""

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what :meth:`state` returned."""


# --- Environments ---------------------------------------------------------------------------


@runtime_checkable
class KilroyEnv(Protocol):
    """The innermost environment around a Face: of one post a step, or of one round a step.

    Attributes:
        face: The Face.
        codec: Between posts and actions, or ``None``: then actions are posts.
        composed: Whether an action is a part of a post, and the post itself the episode.
        wait: Whether a step waits until its scores are known.
    """

    face: KilroyFace[Any, Any]
    codec: "Codec[Any] | None"
    composed: bool
    wait: bool

    @property
    def simulated(self) -> bool:
        """Whether the Face is a simulated one, which can start over and be copied."""

    @property
    def contexts(self) -> npt.NDArray[Any]:
        """What is observed before each of the next posts, as the Face gives it: ``(slots, ...)``.

        It is the structured observation whatever form the agent gets it in.
        """

    @property
    def last_posts(self) -> list[PostData[Any]]:
        """The posts that the last step made, in slot order; decoded only when it is asked for."""

    def scrap(self, limit: int | None = None) -> Iterator[tuple[Any, PostData[Any]]]:
        """Yields existing posts of the Face with their ids."""

    def snapshot(self) -> Any:
        """Returns an independent copy of the environment and its world, to evaluate on.

        Raises:
            TypeError: The Face is a live one.
        """

    def resume(self, post_ids: Mapping[int, Any] | None = None) -> None:
        """Lets the next step go on with the round that an error or an interrupt ended.

        That step must be given the same actions; what was made is not made again.

        Args:
            post_ids: The ids of the posts that were made, by their slot, for a round that another
                process began; ``None`` where this environment played it.
        """


@runtime_checkable
class PlaysRounds(Protocol):
    """An environment of one round a step, which need not wait for scores."""

    def drain(self) -> dict[Any, float]:
        """Waits for all scores that are pending and returns them by post id."""

    def expect(self, ages_s: Mapping[Any, float]) -> None:
        """Expects the scores of posts that another process made.

        Args:
            ages_s: How long ago each was made, in seconds, by post id.
        """


@runtime_checkable
class RevertsActions(Protocol):
    """An action wrapper that can be inverted, under Gymnasium's own name for it."""

    def revert_action(self, action: Any) -> Any:
        """Returns an action that the wrapper turns into this one, or into the nearest."""
