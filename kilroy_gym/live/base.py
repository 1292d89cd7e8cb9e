"""What all live runs share: a directory, a journal and a way to stop."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kilroy_gym.clock import Clock
from kilroy_gym.envs import FaceVectorEnv
from kilroy_gym.faces.wrappers.base import FaceWrapper
from kilroy_gym.faces.wrappers.journaled import JournaledFace
from kilroy_gym.interfaces import Agent, AnyFace, AnyId, Callback, State
from kilroy_gym.live.checkpoint import Checkpoint
from kilroy_gym.post import AnyPost
from kilroy_gym.storage.sqlite import StorageError
from kilroy_gym.training import KilroyTrainer

JOURNAL, CHECKPOINT = "journal.sqlite", "checkpoint.json"
Around = Callable[[AnyFace], AnyFace]
"""Puts wrappers around the journaled Face."""


class BaseLiveRun(ABC):
    """A run that is kept in a directory and continues from one process to the next.

    Args:
        directory: Where the run is kept; created if missing.
        player: The class name of the module or model.

    Attributes:
        posts: Posts that were made and learned from.
        started: Whether a checkpoint exists.

    Raises:
        StorageError: The directory cannot be created or written, or another process uses it.
        ValueError: The directory holds a run of another class of module or model.
    """

    _agent: Agent
    _env: FaceVectorEnv[Any, Any]
    _journal: JournaledFace
    _sending: "Sending"

    def __init__(self, directory: str | Path, player: str) -> None:
        """Reads the checkpoint, if there is one."""
        self._directory, self._player = Path(directory), player
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"the run's directory {directory} cannot be made: {error.strerror}; give another"
            ) from error
        self._found = Checkpoint.load(self._directory / CHECKPOINT, player)
        self.posts = 0 if self._found is None else self._found.posts
        self.started = self._found is not None

    @contextmanager
    def _opened(
        self,
        face: AnyFace,
        around: Around,
        num_envs: int,
        clock: Clock,
        **options: Any,
    ) -> Iterator[None]:
        """Opens the journal and makes the environment around it; closes it if the block fails.

        Args:
            face: The platform.
            around: Puts wrappers around the journaled Face.
            num_envs: Posts in a round.
            clock: Tells the time in unix seconds.
            **options: Options of :class:`~kilroy_gym.envs.FaceVectorEnv`.
        """
        path = self._directory / JOURNAL
        self._journal = JournaledFace(face, path, self._player, clock)
        try:
            self._sending = Sending(self._journal)
            inside = around(self._sending)
            self._env = FaceVectorEnv(inside, num_envs, clock=clock, **options)
            yield
        except BaseException:
            self._journal.journal.close()
            raise

    def warm_start(self, **options: Any) -> None:
        """Mimics existing posts, unless the run has begun already.

        Args:
            **options: Options of :meth:`~kilroy_gym.training.KilroyTrainer.fine_tune`.
        """
        if not self.started:
            KilroyTrainer(self._env, self._agent).fine_tune(**options)
            self._keep()

    def stop(self) -> None:
        """Asks the run to stop after the post in flight, by a ``KeyboardInterrupt``.

        A second call stops it at once; the post is in the journal, and is made when the run
        continues.
        """
        if not self._sending.busy or self._sending.stopping:
            raise KeyboardInterrupt
        self._sending.stopping = True

    def close(self) -> None:
        """Closes the run, so that another process can open it."""
        self._env.close()

    @abstractmethod
    def run(
        self, posts: int, callback: Callback | None = None, progress_bar: bool | None = False
    ) -> None:
        """Posts and learns until the run has made ``posts`` posts."""

    def settle(self) -> int:
        """Finishes what the last process began, unless :meth:`run` does so itself.

        Returns:
            How many posts are not counted, since the agent could not learn from them.
        """
        return 0

    @abstractmethod
    def _keep(self) -> None:
        """Writes a checkpoint between two rounds."""

    def _save(self, state: State, **rest: Any) -> None:
        Checkpoint(self._player, state, self.posts, **rest).save(self._directory / CHECKPOINT)
        self.started = True


class Sending(FaceWrapper):
    """Lets a run stop between two posts, never during one.

    It sits directly around the journal, so waits outside it, for a limit or a person, can be
    interrupted.

    Attributes:
        busy: Whether a post is being made.
        stopping: Whether to stop before the next post.
        numbered: Whether the posts have the numbers of their drafts.
    """

    passes_key = True
    busy = stopping = False
    numbered = False

    def post(self, data: AnyPost) -> AnyId:
        """Makes a post, unless the run was asked to stop.

        Raises:
            ValueError: A wrapper outside has made a new post; nothing was sent.
        """
        if self.numbered and data.draft is None:
            raise ValueError(
                "a wrapper around the journal made a new post, which could go out twice after a "
                "restart: let its `post` pass on `data`, or dataclasses.replace(data, x=...)"
            )
        self._stop_if_asked()
        self.busy = True
        try:
            post_id = self.face.post(data)
        finally:
            self.busy = False
        self._stop_if_asked()  # the post is journaled, and a wait may come before the next
        return post_id

    def _stop_if_asked(self) -> None:
        if self.stopping:
            self.stopping = False  # whoever catches the interrupt may continue with this object
            raise KeyboardInterrupt
