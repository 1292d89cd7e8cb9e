"""A live run of a Stable-Baselines3 model that continues after any interruption."""

from pathlib import Path

from kilroy_gym._checks import integer
from kilroy_gym.adapters import Callback
from kilroy_gym.adapters.sb3 import SB3Agent
from kilroy_gym.clock import Clock, UnixClock
from kilroy_gym.faces.wrappers.reviewed import ReviewedFace
from kilroy_gym.interfaces import AnyFace
from kilroy_gym.live.base import Around, BaseLiveRun


class LiveModelRun(BaseLiveRun):
    """Warm-starts a Stable-Baselines3 model, then posts and learns, across processes.

    A model waits for the scores of each round, since it cannot learn from pending ones
    (:class:`LiveRun` of a module does not wait). Its own settings say how many posts it learns from
    at a time; a checkpoint is written after every update. Stable-Baselines3 keeps what it has not
    yet learned from only in memory, so a restarted run continues from the last update. The posts
    since then stay posted and scored. The journal marks them as not counted, but they are part of
    the budget. A replay buffer starts empty.

    The checkpoint holds the model as Stable-Baselines3 saves it; reading it unpickles parts of it.
    Only open directories whose author you trust.

    Args:
        face: The platform, perhaps in a :class:`~kilroy_gym.faces.RetryingFace`.
        agent: A new agent; it moves to an environment around the journal, with the same number of
            slots.
        directory: Where the run is kept; created if missing.
        post_rate: Seconds after each post before the next.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        around: Puts wrappers around the journaled Face; by default posts that the platform refuses
            score -1.
        clock: Tells the time in unix seconds; by default the machine's.

    Attributes:
        posts: Posts that the model has learned from.
        started: Whether a checkpoint exists.

    Raises:
        StorageError: Another process uses the run, or the directory cannot be written.
        ValueError: The directory holds a run of another class of model.
    """

    def __init__(
        self,
        face: AnyFace,
        agent: SB3Agent,
        directory: str | Path,
        post_rate: float = 1.0,
        score_delay_s: float = 0.0,
        around: Around = ReviewedFace,
        clock: Clock | None = None,
    ) -> None:
        """Opens the journal and restores the checkpoint; sends nothing."""
        super().__init__(directory, type(agent.model).__name__)
        clock = clock or UnixClock()
        pace = {"post_rate": post_rate, "score_delay_s": score_delay_s}
        with self._opened(face, around, agent.slots, clock, codec=agent.codec, **pace):
            self._agent: SB3Agent = agent
            agent.set_env(self._env)
            if self._found is not None:
                agent.set_state(self._found.state)
        self._updates = agent.updates

    @property
    def agent(self) -> SB3Agent:
        """The agent as it is now."""
        return self._agent

    def run(
        self, posts: int, callback: Callback | None = None, progress_bar: bool | None = False
    ) -> None:
        """Posts and learns until the run has made ``posts`` posts, in whole updates.

        Args:
            posts: The most posts in the whole run, including those of earlier processes and those
                that are not counted.
            callback: Called after every round; ``False`` stops.
            progress_bar: Whether to show one; ``None`` shows it on a terminal.

        Raises:
            FaceError: The platform failed. Run again in the same directory, with a new object.
            StorageError: Journal or checkpoint cannot be written; nothing more is sent.
            ValueError: The posts do not allow one update.
        """
        integer("posts", posts, 1)
        self.settle()
        made, rate = self._journal.journal.count(), self._agent.update_rate
        rest = posts - made
        if rest >= rate or not made:
            budget = rest // rate * rate or rest
            self._agent.learn(budget, callback, bool(progress_bar), between_updates=self._keep)
            self._keep()
            self._ask_for_scores()

    def settle(self) -> int:
        """Sends posts in doubt, fetches pending scores, marks posts since the last update."""
        self._journal.settle()
        self._ask_for_scores()
        return self._journal.journal.discount(self.posts)

    def _ask_for_scores(self) -> None:
        pending = [entry.post_id for entry in self._journal.journal.pending()]
        for _ in self._journal.score_many(pending) if pending else ():
            pass  # the journal has recorded it

    def _keep(self) -> None:
        """Writes a checkpoint if the model was updated; from then on all posts so far count."""
        updated = self._agent.updates != self._updates
        if updated:
            self.posts = self._journal.journal.count(counted_only=True)
            self._updates = self._agent.updates
        if updated or not self.started:
            self._save(self._agent.state())
