"""A run of a Stable-Baselines3 model that survives whatever ends it."""

from pathlib import Path
from typing import Any

from kilroy_gym._checks import integer
from kilroy_gym.adapters import Callback
from kilroy_gym.adapters.sb3 import SB3Agent
from kilroy_gym.clock import Clock, UnixClock
from kilroy_gym.faces.wrappers.reviewed import ReviewedFace
from kilroy_gym.interfaces import KilroyFace
from kilroy_gym.live.base import Around, Run


class LiveModelRun(Run):
    """Warm-starts a Stable-Baselines3 model, and posts and learns, from one process to the next.

    A model waits for the scores of each round, since it would learn from a score that nobody gave
    (:class:`LiveRun` of a module does not wait). It learns from as many posts as its own settings
    say, and a checkpoint is written after every update. Stable-Baselines3 keeps what it has not
    learned from in memory alone, so a run that is started again goes on from the last update: the
    posts since then stay posted and scored, in the journal too, and are marked there as not
    counted. They are part of the budget all the same. A replay buffer begins empty.

    The checkpoint holds the model as Stable-Baselines3 saves it, which unpickles parts of it when
    it is read: open a directory only where you trust whoever wrote it.

    Args:
        face: The platform; retried perhaps, by a
            :class:`~kilroy_gym.faces.RetryingFace` around it.
        agent: The agent, new; it leaves its environment for one around the journal, with as many
            posts in a round.
        directory: Where the run is kept; it is made where it is not there.
        post_rate: Seconds after each post before the next.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        around: Puts wrappers around the journal; by default a refusal of the platform scores -1.
        clock: Tells unix seconds; the machine's unless another is handed in.

    Attributes:
        posts: Posts that the model has learned from.
        started: Whether anything is kept yet.

    Raises:
        StorageError: Another process has the run, or the directory cannot be written.
        ValueError: The directory holds a run of another class of model.
    """

    def __init__(
        self,
        face: KilroyFace[Any, Any],
        agent: SB3Agent,
        directory: str | Path,
        post_rate: float = 1.0,
        score_delay_s: float = 0.0,
        around: Around = ReviewedFace,
        clock: Clock | None = None,
    ) -> None:
        """Opens the journal and goes back to the checkpoint; sends nothing."""
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
        """Posts and learns until the run has made so many posts, in whole updates.

        Args:
            posts: The most posts of the whole run, those of earlier processes and those that did
                not count included.
            callback: Called after every round; ``False`` stops.
            progress_bar: Whether to show one; ``None`` shows it on a terminal.

        Raises:
            FaceError: The platform failed. Run again in the same directory, with a new object.
            StorageError: Journal or checkpoint cannot be written: then nothing more is sent.
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
        """Makes what was begun, asks for scores that were not known, and marks what is lost."""
        self._journal.settle()
        self._ask_for_scores()
        return self._journal.journal.discount(self.posts)

    def _ask_for_scores(self) -> None:
        pending = [entry.post_id for entry in self._journal.journal.pending()]
        for _ in self._journal.score_many(pending) if pending else ():
            pass  # it is in the journal now

    def _keep(self) -> None:
        """Writes a checkpoint where the model was updated: all posts so far count from then on."""
        updated = self._agent.updates != self._updates
        if updated:
            self.posts = self._journal.journal.count(counted_only=True)
            self._updates = self._agent.updates
        if updated or not self.started:
            self._save(self._agent.state())
