"""Every contract between the parts of the package, and their optional capabilities.

A platform is a :class:`KilroyFace`, a player is an :class:`Agent`, and an environment is a
:class:`KilroyEnv`. Each optional capability is a small Protocol; :func:`find` looks for it in a
Face and in the Faces inside its wrappers.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Protocol,
    TypeAlias,
    TypeVar,
    cast,
    runtime_checkable,
)

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from kilroy_gym.post import AnyPost, PostData, X

if TYPE_CHECKING:
    from kilroy_gym.codecs.base import AnyCodec
    from kilroy_gym.envs.observations import Observations
    from kilroy_gym.modules.base import AnyModule

PostId = TypeVar("PostId", bound=Hashable)
Capability = TypeVar("Capability")

# Names for types that depend on the content of a post, or on a platform.
Action: TypeAlias = Any
"""A post as an environment takes it, or a batch of them; the codec defines the type."""
Observation: TypeAlias = Any
"""What an agent sees before it posts, or a batch of that; the environment defines the type."""
AnyId: TypeAlias = Any
"""A post id or draft id: hashable; the Face or the module defines the type."""
AnyArray = npt.NDArray[Any]
"""An array of actions or observations, with the dtype of their space."""
State = dict[str, Any]
"""What a module or agent needs to continue in another process: JSON values, arrays, bytes."""
Info = dict[str, Any]
"""The ``info`` or ``infos`` of a Gymnasium environment."""
AnyVectorEnv = VectorEnv[Any, Any, Any]
AnyEnv = gym.Env[Any, Any] | AnyVectorEnv
ScoredPost = tuple[AnyId, PostData[X], float | None]
"""An existing post: its id, the post, and its score or ``None``."""

# --- Faces ----------------------------------------------------------------------------------


class ScorePending(Exception):
    """Raised by :meth:`KilroyFace.score` while a score is not known; callers ask again later."""


class PostRefused(ValueError):
    """Raised by :meth:`KilroyFace.post` if a post was not made and never will be.

    The message is shown and stored, so it must say why and hold no secret. Any other error leaves
    open whether the post was made.

    Attributes:
        key: The key of the post if it is in a journal, else ``None``.
    """

    def __init__(self, *args: object, key: int | None = None) -> None:
        """Takes the message."""
        super().__init__(*args)
        self.key = key


class FaceError(RuntimeError):
    """A Face failed in the middle of a round, or returned something invalid.

    Nothing is lost: the error carries the posts and scores of the round so far. The Face's own
    error is the ``__cause__``.

    Attributes:
        posts: The posts of this round that were made, by post id.
        scores: The scores that were known by then, by post id.
    """

    def __init__(
        self, message: str, posts: Mapping[AnyId, AnyPost], scores: Mapping[AnyId, float]
    ) -> None:
        """Carries ``message`` and copies of the posts and scores."""
        super().__init__(message)
        self.posts = dict(posts)
        self.scores = dict(scores)

    def __reduce__(self) -> tuple[object, ...]:
        """Lets the error cross from a worker process with its attributes."""
        return type(self), (str(self), self.posts, self.scores)


class KilroyFace(ABC, Generic[X, PostId]):
    """A platform: posts exist there, can be made, and earn scores.

    Three methods are enough. The batch methods loop over them by default; override them where the
    platform can do better. A Face offers an optional capability by having the methods of its
    Protocol: :class:`Simulated`, :class:`ScrapsScored`, :class:`KnowsTruth`, :class:`Observes`,
    :class:`PassesTime`.

    Attributes:
        idempotent: Whether ``post``, called again with the same ``data.key``, makes no second post
            and returns the id of the first. If ``False``, a post whose answer was lost is never
            sent again, since that might post twice.
    """

    idempotent: bool = False

    @abstractmethod
    def scrap(self, limit: int | None = None) -> Iterator[tuple[PostId, PostData[X]]]:
        """Yields existing posts with their ids.

        Args:
            limit: The most posts to yield, or ``None`` for all.
        """

    @abstractmethod
    def post(self, data: PostData[X]) -> PostId:
        """Makes a post and returns its id, which is hashable and unique.

        Args:
            data: The post. Its ``key``, if it has one, belongs to no other post; an idempotent
                platform derives the post's name and time of creation from it.

        Raises:
            PostRefused: The platform refuses the post (optional; other errors are allowed too).
        """

    @abstractmethod
    def score(self, post_id: PostId) -> float:
        """Returns the score of a post: a finite number.

        Raises:
            ScorePending: The score is not known yet.
        """

    def post_many(self, posts: Iterable[PostData[X]]) -> Iterable[PostId]:
        """Makes posts in order and yields the id of each as soon as it is made.

        The environment times a round through the iterable: take each post only when it can go out.
        """
        for post in posts:
            yield self.post(post)

    def score_many(self, post_ids: Iterable[PostId]) -> Iterable[tuple[PostId, float]]:
        """Yields ``(post id, score)`` for known scores; leaves out pending ones."""
        for post_id in post_ids:
            try:
                score = self.score(post_id)
            except ScorePending:
                continue
            yield post_id, score

    def close(self) -> None:
        """Closes files and connections; by default there are none."""


AnyFace = KilroyFace[Any, Any]


@runtime_checkable
class Simulated(Protocol):
    """A Face whose world can be restarted and copied."""

    def restart(self, rng: np.random.Generator) -> None:
        """Restarts the world; from now on all randomness comes from ``rng`` or its children."""


@runtime_checkable
class KnowsTruth(Protocol):
    """A Face that knows how its scores are drawn."""

    def truth(self, post_id: AnyId) -> tuple[float, float]:
        """Returns the expected score of a post, and the best of any post at that time."""


@runtime_checkable
class ScrapsScored(Protocol):
    """A Face that knows the scores of existing posts."""

    def scrap_scored(self, limit: int | None = None) -> Iterator[ScoredPost[Any]]:
        """Yields what ``scrap`` does, each with its current score: finite, or ``None``."""


@runtime_checkable
class Observes(Protocol):
    """A Face that gives an observation before each post.

    Attributes:
        observation_space: The space of one observation.
    """

    observation_space: gym.Space[Any]

    def observe(self, count: int) -> AnyArray:
        """Returns what is observed before each of the next ``count`` posts.

        Returns:
            An array of shape ``(count, *observation_space.shape)``.
        """


@runtime_checkable
class PassesTime(Protocol):
    """A Face with its own time, which must pass before pending scores arrive."""

    def wait(self, seconds: float) -> None:
        """Lets time pass, instead of sleeping on the clock."""


@runtime_checkable
class PlaysActions(Protocol):
    """A simulated Face that takes the actions of its codec without a Python object per post.

    Attributes:
        codec: Turns posts into actions and back.
        plays_actions: Whether ``play`` equals posting and scoring.
    """

    codec: "AnyCodec"

    @property
    def plays_actions(self) -> bool:
        """Whether ``play`` and ``play_one`` equal ``post``, ``score`` and ``truth``."""

    def play(self, actions: AnyArray) -> tuple[npt.NDArray[np.int64], tuple[Any, Any, Any]]:
        """Posts checked actions of shape ``(n, ...)``.

        Returns:
            Post ids, int64 of shape ``(n,)``, and scores, expected and best scores, each a number
            or a float64 array of shape ``(n,)``.
        """

    def play_one(self, action: Action) -> tuple[int, tuple[Any, Any, Any]]:
        """Plays one action as ``play`` does many; scores are numbers."""


@runtime_checkable
class BringsModule(Protocol):
    """A Face that names the module that suits its posts.

    Attributes:
        module: The name ``package.module:function`` of a function ``(codec, seed)`` that returns
            a :class:`~kilroy_gym.modules.KilroyModule`, or ``None``.
    """

    @property
    def module(self) -> str | None:
        """The name of the function, or ``None``."""


@runtime_checkable
class WrapsFace(Protocol):
    """A layer around a Face.

    Attributes:
        face: The Face inside.
        hides: Capabilities of the Face inside that this one does not have.
        passes_on: Capabilities that this one has only if the Face inside has them.
    """

    face: AnyFace
    hides: frozenset[type]
    passes_on: frozenset[type]

    def offers(self, capability: type) -> bool:
        """Tells whether this layer itself has the members of a capability."""


def find(face: object, capability: type[Capability]) -> Capability | None:
    """Returns the outermost layer of a Face that has a capability, or ``None``.

    Layers are searched from the outside in, so a wrapper's override is found first.

    Args:
        face: A Face, wrapped or not.
        capability: One of the Protocols of this module.
    """
    if not isinstance(face, WrapsFace):
        return face if isinstance(face, capability) and has_methods(face, capability) else None
    if capability in face.hides:
        return None
    if not face.offers(capability):
        return find(face.face, capability)
    if capability in face.passes_on and find(face.face, capability) is None:
        return None
    return cast(Capability, face)


def has_methods(layer: object, capability: type) -> bool:
    """Tells whether the methods of a capability that a layer has can be called.

    A Face may use such a name for something else, as in ``self.wait = 3.0``.
    """
    methods = [name for name, member in vars(capability).items() if callable(member)]
    public = [name for name in methods if not name.startswith("_")]
    return all(callable(getattr(layer, name, None)) for name in public)


# --- Agents ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Round:
    """What happened in a round of learning.

    Attributes:
        number: The number of the round in this run, from 1.
        post_ids: The ids of the ``n`` posts made, in order.
        posts: What was posted, in the same order, as the environment reports it.
        scores: Their scores; ``None`` if pending.
        arrived: Scores of posts from earlier rounds that became known now, by post id.
        metrics: The module's own figures after it was reinforced.
        expected_scores: The mean of each score's distribution, float64 of shape ``(n,)``, or
            ``None`` if the Face does not know the truth.
        best_scores: The best expected score at the time of each post, float64 of shape ``(n,)``,
            or ``None``.
    """

    number: int
    post_ids: Sequence[AnyId]
    posts: Sequence[AnyPost]
    scores: Sequence[float | None]
    arrived: dict[AnyId, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    expected_scores: npt.NDArray[np.float64] | None = None
    best_scores: npt.NDArray[np.float64] | None = None


Callback = Callable[[Round], bool | None]
"""Called after every round; ``False`` stops the run."""


@runtime_checkable
class Agent(Protocol):
    """Anything that plays and learns, with the signatures of Stable-Baselines3.

    These four methods are enough if the trainer is given an environment. Optional capabilities are
    a Protocol each: :class:`MovesToEnv`, :class:`ClonesPosts`, :class:`PlaysModule`,
    :class:`PlaysOneFace`, :class:`Checkpointable`, :class:`NamesItsFile`.
    """

    def predict(
        self,
        observation: Observation,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Action, Any]:
        """Returns an action for an observation, or a batch for a batch, and the next state."""

    def mimic(self, posts: Sequence[AnyPost]) -> object:
        """Learns to write posts like these: one batch."""

    def learn(
        self, total_timesteps: int, callback: Callback | None = None, progress_bar: bool = False
    ) -> object:
        """Plays and learns; makes at most ``total_timesteps`` posts."""

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the agent to a file."""


@runtime_checkable
class MovesToEnv(Protocol):
    """An agent that can move to another environment and knows how often it learns.

    Attributes:
        update_rate: Posts between two updates.
        rollout: The same as shown in the table of a comparison, such as ``"10"`` or ``"10x4"``.
    """

    @property
    def update_rate(self) -> int:
        """Posts between two updates."""

    @property
    def rollout(self) -> str:
        """Posts between two updates, as shown in a table."""

    def set_env(self, env: AnyEnv, update_rate: int | None = None) -> None:
        """Moves to another environment; with ``update_rate``, learns after that many posts."""


AfterEpoch = Callable[[int, dict[str, float]], bool | None]
"""Called with the number of an epoch, from 1, and its figures; ``False`` stops."""


@runtime_checkable
class ClonesPosts(Protocol):
    """An agent that fits existing posts in its own way instead of batch by batch."""

    def fine_tune(
        self,
        posts: Sequence[AnyPost],
        epochs: int,
        batch_size: int | None,
        rng: np.random.Generator,
        shuffle: bool,
        after_epoch: AfterEpoch | None,
        progress_bar: bool | None,
    ) -> int:
        """Fits posts; returns the number of epochs it kept."""


@runtime_checkable
class PlaysModule(Protocol):
    """An agent whose posts a module writes.

    Attributes:
        module: The module as it is now, a :class:`~kilroy_gym.modules.KilroyModule`.
    """

    module: "AnyModule"


@runtime_checkable
class PlaysOneFace(Protocol):
    """An agent that plays only the Face of the environment it was made on.

    Attributes:
        env: The environment.
    """

    @property
    def env(self) -> AnyEnv:
        """The environment it plays."""

    def check_face(self, face_or_env: AnyFace | AnyEnv) -> None:
        """Raises a ``ValueError`` for another Face, or an environment around one."""


@runtime_checkable
class NamesItsFile(Protocol):
    """An agent whose file has its own suffix.

    Attributes:
        file_suffix: The suffix, such as ``".json"``.
    """

    file_suffix: str


@runtime_checkable
class Checkpointable(Protocol):
    """A module or agent that can continue in another process."""

    def state(self) -> State:
        """Returns everything needed to continue: JSON values, arrays and bytes."""

    def set_state(self, state: State) -> None:
        """Continues from what :meth:`state` returned."""


# --- Environments ---------------------------------------------------------------------------


@runtime_checkable
class KilroyEnv(Protocol):
    """The innermost environment around a Face; each step makes one post or one round.

    Attributes:
        face: The Face.
        codec: Turns posts into actions and back; ``None`` if actions are posts.
        composed: Whether an action is a part of a post and an episode composes one.
        wait: Whether a step waits until its scores are known.
        observations: Between what the Face shows and what agents get.
        posts_per_episode: How many posts an episode has where it is not one, else ``None``.
        steps: How many steps it has finished.
    """

    face: AnyFace
    codec: "AnyCodec | None"
    composed: bool
    steps: int
    wait: bool
    observations: "Observations"
    posts_per_episode: int | None

    @property
    def simulated(self) -> bool:
        """Whether the Face is simulated, so that it can be restarted and copied."""

    @property
    def pinned(self) -> bool:
        """Whether the world was started by ``world_seed``, and no reset starts it over."""

    @property
    def contexts(self) -> AnyArray:
        """The Face's observations before the next posts, of shape ``(slots, ...)``.

        They are structured, whatever form of observation the agent gets.
        """

    @property
    def last_posts(self) -> list[AnyPost]:
        """The posts that the last step made, in slot order; decoded lazily."""

    @property
    def last_scores(self) -> npt.NDArray[np.float64]:
        """What the posts of the last step scored, float64 of shape ``(slots,)``.

        NaN where a slot made no post, or its score is pending. No wrapper changes it.
        """

    def scrap(self, limit: int | None = None) -> Iterator[tuple[AnyId, AnyPost]]:
        """Yields existing posts of the Face with their ids."""

    def snapshot(self) -> Any:
        """Returns an independent copy of the environment and its world, for evaluation.

        Raises:
            TypeError: The Face is a live one.
        """

    def resume(self, post_ids: Mapping[int, AnyId] | None = None, *, repeat: bool = False) -> None:
        """Lets the next step continue a round that an error or interrupt ended.

        That step must get the same actions; posts that were made are not made again.

        Args:
            post_ids: For a round that another process began: the ids of the posts that were made,
                by slot. ``None`` if this environment began the round.
            repeat: Whether the last step was finished here, and failed around this environment:
                then the next step returns the same once more.
        """


@runtime_checkable
class PlaysRounds(Protocol):
    """An environment with one round per step, which need not wait for scores."""

    def drain(self) -> dict[AnyId, float]:
        """Waits for all pending scores and returns them by post id."""

    def expect(self, ages_s: Mapping[AnyId, float]) -> None:
        """Expects the scores of posts that another process made.

        Args:
            ages_s: Seconds since each post was made, by post id.
        """


@runtime_checkable
class RevertsActions(Protocol):
    """An action wrapper that can be inverted, under Gymnasium's own name for it."""

    def revert_action(self, action: Any) -> Any:
        """Returns an action that the wrapper turns into this one, or into the nearest."""
