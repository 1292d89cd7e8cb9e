"""What every run on a live platform has: a directory, and a way to end it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kilroy_gym.clock import Clock
from kilroy_gym.envs import FaceVectorEnv
from kilroy_gym.faces.wrappers.base import FaceWrapper
from kilroy_gym.faces.wrappers.journaled import JournaledFace
from kilroy_gym.interfaces import Agent, Callback, KilroyFace
from kilroy_gym.live.checkpoint import Checkpoint
from kilroy_gym.post import PostData
from kilroy_gym.storage.sqlite import StorageError
from kilroy_gym.training import KilroyTrainer

JOURNAL, CHECKPOINT = "journal.sqlite", "checkpoint.json"
Around = Callable[[KilroyFace[Any, Any]], KilroyFace[Any, Any]]
"""Puts wrappers around the Face with its journal."""


class Run(ABC):
    """A run that is kept in a directory, from one process to the next.

    Args:
        directory: Where it is kept; it is made where it is not there.
        player: The class of the module or model.

    Attributes:
        posts: Posts that were made and learned from.
        started: Whether anything is kept yet.

    Raises:
        StorageError: The directory cannot be made or written, or another process has the run.
        ValueError: The directory holds a run of something else.
    """

    _agent: Agent
    _env: FaceVectorEnv[Any, Any]
    _journal: JournaledFace
    _sending: "Sending"

    def __init__(self, directory: str | Path, player: str) -> None:
        """Reads the checkpoint, where there is one."""
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
        face: KilroyFace[Any, Any],
        around: Around,
        num_envs: int,
        clock: Clock,
        **options: Any,
    ) -> Iterator[None]:
        """Opens the journal and makes the environment around it; closes it where the block fails.

        Args:
            face: The platform.
            around: Puts wrappers around the journal.
            num_envs: Posts in a round.
            clock: Tells unix seconds.
            **options: Those of the environment.
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
        """Lets what plays mimic existing posts, unless the run has begun already.

        Args:
            **options: Those of :meth:`~kilroy_gym.training.KilroyTrainer.fine_tune`.
        """
        if not self.started:
            KilroyTrainer(self._env, self._agent).fine_tune(**options)
            self._keep()

    def stop(self) -> None:
        """Asks the run to end after the post that is being made (``KeyboardInterrupt``).

        Asked a second time it ends at once; the post is in the journal, and made when the run
        goes on.
        """
        if not self._sending.busy or self._sending.stopping:
            raise KeyboardInterrupt
        self._sending.stopping = True

    def close(self) -> None:
        """Lets others open the run."""
        self._env.close()

    @abstractmethod
    def run(
        self, posts: int, callback: Callback | None = None, progress_bar: bool | None = False
    ) -> None:
        """Posts and learns until the run has made so many posts."""

    def settle(self) -> int:
        """Finishes what the last process began, where the run does not go on right there.

        Returns:
            How many posts do not count, since what plays could not learn from them.
        """
        return 0

    @abstractmethod
    def _keep(self) -> None:
        """Writes a checkpoint between two rounds."""

    def _save(self, state: dict[str, Any], **rest: Any) -> None:
        Checkpoint(self._player, state, self.posts, **rest).save(self._directory / CHECKPOINT)
        self.started = True


class Sending(FaceWrapper):
    """Lets a run end between two posts and never within one.

    It is right around the journal: who waits before a post, for a limit or for a person, can be
    interrupted.

    Attributes:
        busy: Whether a post is being made.
        stopping: Whether no other one is to be made.
    """

    passes_key = True
    busy = stopping = False

    def post(self, data: PostData[Any]) -> Any:
        """Makes a post, unless somebody wants to stop."""
        self._stop_if_asked()
        self.busy = True
        try:
            post_id = self.face.post(data)
        finally:
            self.busy = False
        self._stop_if_asked()  # the post is in the journal, and before the next may come a wait
        return post_id

    def _stop_if_asked(self) -> None:
        if self.stopping:
            self.stopping = False  # whoever catches the interrupt may go on with this object
            raise KeyboardInterrupt
