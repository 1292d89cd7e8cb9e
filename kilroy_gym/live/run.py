"""A live run of a module that continues after any interruption."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kilroy_gym._checks import integer
from kilroy_gym.adapters import Callback, ModuleAgent, Round
from kilroy_gym.adapters.rounds import Draft
from kilroy_gym.clock import Clock, UnixClock
from kilroy_gym.faces.wrappers.journaled import PostInDoubt
from kilroy_gym.faces.wrappers.reviewed import RefusedId, ReviewedFace
from kilroy_gym.interfaces import AnyFace, AnyId, FaceError
from kilroy_gym.live.base import Around, BaseLiveRun
from kilroy_gym.live.checkpoint import Checkpoint
from kilroy_gym.modules.base import AnyModule
from kilroy_gym.post import PostData
from kilroy_gym.storage.entries import Entry
from kilroy_gym.storage.sqlite import StorageError


class LiveRun(BaseLiveRun):
    """Warm-starts a module, then posts and learns in rounds, across processes.

    Before a round is sent, a checkpoint with the module and its drafts is on the disk; before each
    post is sent, it is in the journal with its draft number. After an error the run continues from
    there, with the same object or a new one in the same directory: posts that were made are scored
    but not made again, the others go out, and the module ends up as if nothing had happened.
    Rounds do not wait for scores. Pending scores are asked for between rounds, and waited for at
    the end.

    If the platform is not ``idempotent``, a post whose answer was lost is in doubt, and the run
    refuses to continue until a person has checked it (:class:`PostInDoubt`).

    Args:
        face: The platform, perhaps in a :class:`~kilroy_gym.faces.RetryingFace`.
        module: A new module; it must have ``state`` and ``set_state``.
        directory: Where the run is kept; created if missing.
        update_rate: Posts in a round.
        post_rate: Seconds after each post before the next.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        around: Puts wrappers around the journaled Face; by default posts that the platform refuses
            score -1.
        clock: Tells the time in unix seconds; by default the machine's.

    Attributes:
        posts: Posts of the finished rounds.
        started: Whether a checkpoint exists.

    Raises:
        NotImplementedError: The module does not support checkpoints.
        StorageError: Another process uses the run, or the directory cannot be written.
        ValueError: The directory holds a run of another class of module, or an unfinished round of
            another size.
    """

    def __init__(
        self,
        face: AnyFace,
        module: AnyModule,
        directory: str | Path,
        update_rate: int = 10,
        post_rate: float = 1.0,
        score_delay_s: float = 0.0,
        around: Around = ReviewedFace,
        clock: Clock | None = None,
    ) -> None:
        """Opens the journal and restores the checkpoint; sends nothing."""
        module.state()  # raises at once if it cannot be saved
        integer("update_rate", update_rate, 1)
        super().__init__(directory, type(module).__name__)
        begun = 0 if self._found is None else len(self._found.drafts)
        if begun not in (0, update_rate):
            raise ValueError(
                f"{directory} holds an unfinished round of {begun} posts: continue with "
                f"update_rate={begun} (--round {begun} on the command line), got {update_rate}"
            )
        self._before = self.posts
        self._clock = clock or UnixClock()
        pace = {"post_rate": post_rate, "score_delay_s": score_delay_s}
        with self._opened(face, around, update_rate, self._clock, wait=False, **pace):
            self._sending.numbered = True
            self._agent: ModuleAgent[Any, Any] = ModuleAgent(module, self._env)
            if self._found is not None:
                self._go_back(self._found)

    @property
    def module(self) -> AnyModule:
        """The module as it is now."""
        return self._agent.module

    def run(
        self, posts: int, callback: Callback | None = None, progress_bar: bool | None = False
    ) -> None:
        """Posts and learns until the run has made ``posts`` posts, in whole rounds.

        Args:
            posts: The most posts in the whole run, including those of earlier processes.
            callback: Called after every round; ``False`` stops.
            progress_bar: Whether to show one; ``None`` shows it on a terminal.

        Raises:
            FaceError: The platform failed. Nothing is lost: run again in the same directory.
            PostInDoubt: See the class.
            StorageError: Journal or checkpoint cannot be written; nothing more is sent.
        """
        self._count()
        rest = integer("posts", posts, 1) - self.posts
        self._take_up_round()

        def count(played: Round) -> bool | None:
            self._count()
            return None if callback is None or not played.post_ids else callback(played)

        if rest >= self._agent.update_rate:
            self._agent.learn(rest, count, progress_bar, before_sending=self._keep_round)
        else:
            self._agent.finish(count)
        self._keep()

    def _count(self) -> None:
        """Counts the rounds that were learned from, also where an error followed at once."""
        self.posts = self._before + self._agent.rounds.finished

    def _keep(self) -> None:
        self._keep_round([])

    def _keep_round(self, drafts: Sequence[Draft]) -> Sequence[Draft]:
        """Writes a checkpoint with the drafts of a round before they are sent; numbers them."""
        self._save(
            self.module.state(),
            drafts=[(draft_id, post.x, post.context) for draft_id, post in drafts],
            open_drafts=list(self._agent.rounds.open_drafts.items()),
        )
        return self._numbered(drafts)

    def _numbered(self, drafts: Sequence[Draft]) -> Sequence[Draft]:
        return [
            (draft_id, replace(post, draft=self.posts + slot))
            for slot, (draft_id, post) in enumerate(drafts)
        ]

    def _go_back(self, checkpoint: Checkpoint) -> None:
        self.module.set_state(checkpoint.state)
        drafts = [(i, PostData(x, context)) for i, x, context in checkpoint.drafts]
        open_drafts = dict(checkpoint.open_drafts)
        self._agent.rounds.take_up(self._numbered(drafts), open_drafts, {})
        known = (e for e in self._journal.journal.entries() if _id_of(e) in open_drafts)
        # Posts of a dry run are in no journal; they count as just made.
        self._env.expect(dict.fromkeys(open_drafts, 0.0) | self._ages(known))

    def _take_up_round(self) -> None:
        """Finds in the journal what became of a round that was interrupted."""
        journal = self._journal.journal
        if not self._journal.idempotent:
            for entry in journal.in_doubt():
                raise PostInDoubt.of(entry, journal.path, self._journal.face)
        try:
            self._journal.settle()
        except StorageError:
            raise
        except Exception as error:
            raise FaceError(
                f"{type(self._journal.unwrapped).__name__} failed at an earlier post: "
                f"{type(error).__name__}: {error}",
                {},
                {},
            ) from error
        rounds = self._agent.rounds
        if rounds.current.to_send:
            entries = journal.drafts(self.posts)
            self._env.expect(self._ages(entries))
            post_ids = {(entry.post.draft or 0) - self.posts: _id_of(entry) for entry in entries}
            rounds.take_up(rounds.current.drafts, rounds.open_drafts, post_ids)

    def _ages(self, entries: Iterable[Entry]) -> dict[AnyId, float]:
        """Returns the seconds since posts were made or refused, at least 0, by post id."""
        now = self._clock.time()  # it may have been set back since
        since = ((entry, entry.made_at or entry.intended_at) for entry in entries)
        return {_id_of(entry): max(now - moment, 0.0) for entry, moment in since}


def _id_of(entry: Entry) -> AnyId:
    """Returns the post id that the round knows."""
    return RefusedId(entry.key) if entry.made_at is None else entry.post_id
