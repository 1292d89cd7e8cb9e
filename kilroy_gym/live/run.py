"""A run of a module that survives whatever ends it."""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kilroy_gym._checks import integer
from kilroy_gym.adapters import Callback, ModuleAgent, Round
from kilroy_gym.clock import Clock, UnixClock
from kilroy_gym.envs import FaceVectorEnv
from kilroy_gym.faces.wrappers.reviewed import RefusedId, ReviewedFace
from kilroy_gym.interfaces import KilroyFace
from kilroy_gym.live.base import JOURNAL, Run, Sending
from kilroy_gym.live.checkpoint import Checkpoint, Draft
from kilroy_gym.live.drafts import KeptModule
from kilroy_gym.live.rounds import RoundJournal, Rounds
from kilroy_gym.modules import KilroyModule
from kilroy_gym.post import PostData
from kilroy_gym.storage.journal import Entry
from kilroy_gym.storage.keys import fresh_key

Around = Callable[[KilroyFace[Any, Any]], KilroyFace[Any, Any]]


class LiveRun(Run):
    """Warm-starts a module, and posts and learns in rounds, from one process to the next.

    Before the posts of a round are sent, a checkpoint is on the disk that holds the module with
    its drafts, and the key of each post. A run that is started again in the same directory goes
    on from there: what was posted is scored and not posted again, what was not goes out, and the
    module ends as if nothing had happened. Rounds do not wait for scores: pending ones are asked
    for between rounds, and waited for at the end.

    Where the platform has no ``post_once``, a post whose answer was lost is in doubt, and the run
    refuses to go on until somebody has looked
    (:class:`~kilroy_gym.live.rounds.PostInDoubt`).

    Args:
        face: The platform; retried perhaps, by a
            :class:`~kilroy_gym.faces.RetryingFace` around it.
        module: The generator, new; it must have ``state`` and ``set_state``.
        directory: Where the run is kept; it is made where it is not there.
        update_rate: Posts in a round.
        post_rate: Seconds after each post before the next.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        around: Puts wrappers around the journal; by default a refusal of the platform scores -1.
        clock: Tells unix seconds; the machine's unless another is handed in.

    Attributes:
        posts: Posts of the finished rounds.
        started: Whether anything is kept yet.

    Raises:
        NotImplementedError: The module does not support checkpoints.
        StorageError: Another process has the run, or the directory cannot be written.
        ValueError: The directory holds a run of another module, or a round of another length
            that is not finished.
    """

    def __init__(
        self,
        face: KilroyFace[Any, Any],
        module: KilroyModule[Any, Any],
        directory: str | Path,
        update_rate: int = 10,
        post_rate: float = 1.0,
        score_delay_s: float = 0.0,
        around: Around = ReviewedFace,
        clock: Clock | None = None,
    ) -> None:
        """Opens the journal and goes back to the checkpoint; sends nothing."""
        module.state()  # refuses at once what cannot be kept
        integer("update_rate", update_rate, 1)
        super().__init__(directory, type(module).__name__)
        begun = 0 if self._found is None else len(self._found.drafts)
        if begun not in (0, update_rate):
            raise ValueError(
                f"{directory} holds a round of {begun} posts that is not finished: go on with "
                f"update_rate={begun}, got {update_rate}"
            )
        self._clock = clock or UnixClock()
        self._journal = RoundJournal(face, self._directory / JOURNAL, self._player, self._clock)
        self._sending = Sending(self._journal)
        self._rounds = Rounds(around(self._sending), self._journal)
        self._env = FaceVectorEnv(
            self._rounds,
            update_rate,
            post_rate=post_rate,
            score_delay_s=score_delay_s,
            wait=False,
            clock=self._clock,
        )
        self._module = KeptModule(module, self._keep)
        self._agent: ModuleAgent[Any, Any] = ModuleAgent(self._module, self._env)
        if self._found is not None:
            self._go_back(self._found)

    @property
    def module(self) -> KilroyModule[Any, Any]:
        """The module as it is now."""
        return self._module.inner

    def run(
        self, posts: int, callback: Callback | None = None, progress_bar: bool | None = False
    ) -> None:
        """Posts and learns until the run has made so many posts, in whole rounds.

        Args:
            posts: The posts of the whole run, those of earlier processes included.
            callback: Called after every round; ``False`` stops.
            progress_bar: Whether to show one; ``None`` shows it on a terminal.

        Raises:
            FaceError: The platform failed. Nothing is lost: run again in the same directory.
            PostInDoubt: See the class.
            StorageError: Journal or checkpoint cannot be written: then nothing more is sent.
        """
        rest = integer("posts", posts, 1) - self.posts
        if rest >= self._agent.update_rate:

            def count(played: Round) -> bool | None:
                self.posts += len(played.posts)
                return None if callback is None or not played.posts else callback(played)

            self._agent.learn(rest, count, progress_bar)
            self._keep()

    def _keep(self, drafts: Sequence[Draft] = ()) -> None:
        """Writes a checkpoint, and with drafts the keys of the posts that they become."""
        first = fresh_key(self._clock, self._journal.journal.last_key())
        keys = [first + number for number in range(len(drafts))]
        self._save(
            self.module.state(),
            drafts=[(draft_id, post.x, post.context) for draft_id, post in drafts],
            keys=keys,
            open_drafts=list(self._agent.open_drafts.items()),
        )
        self._rounds.keys = deque(keys)

    def _go_back(self, checkpoint: Checkpoint) -> None:
        self.module.set_state(checkpoint.state)
        self._module.again = [(i, PostData(x, context)) for i, x, context in checkpoint.drafts]
        self._rounds.keys = deque(checkpoint.keys)
        self._agent.open_drafts.update(checkpoint.open_drafts)
        now, made_at = self._clock.time(), dict(map(_id_and_time, self._journal.journal.entries()))
        expected = (post_id for post_id, _ in checkpoint.open_drafts)
        self._env.expect({post_id: now - made_at.get(post_id, now) for post_id in expected})


def _id_and_time(entry: Entry) -> tuple[Any, float]:
    """Returns what the round called a post, and when it went out or was refused."""
    if entry.made_at is None:
        return RefusedId(entry.key), entry.intended_at
    return entry.post_id, entry.made_at
