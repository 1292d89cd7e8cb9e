"""A run on a live platform that survives whatever ends it."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kilroy_gym.adapters import Callback, ModuleAgent
from kilroy_gym.checks import integer
from kilroy_gym.clock import Clock, UnixClock
from kilroy_gym.envs import FaceVectorEnv
from kilroy_gym.faces.journaled import JournaledFace
from kilroy_gym.faces.keys import fresh_key
from kilroy_gym.faces.reviewed import ReviewedFace
from kilroy_gym.faces.wrapper import FaceWrapper
from kilroy_gym.interfaces import KilroyFace
from kilroy_gym.live.checkpoint import Checkpoint, Draft
from kilroy_gym.modules import KilroyModule
from kilroy_gym.post import PostData
from kilroy_gym.training import KilroyTrainer

JOURNAL, CHECKPOINT = "journal.sqlite", "checkpoint.json"


class PostInDoubt(RuntimeError):
    """A post was perhaps made, and the platform offers no way to find out or to repeat it."""


class LiveRun:
    """Warm-starts a module, and posts and learns in rounds, from one process to the next.

    Before the posts of a round are sent, a checkpoint is on the disk that holds the module with
    its drafts, and the key of each post. A run that is started again in the same directory goes
    on from there: what was posted is scored and not posted again, what was not goes out, and the
    module ends as if nothing had happened. Rounds do not wait for scores: pending ones are asked
    for between rounds, and waited for at the end.

    Where the platform has no ``post_once``, a post whose answer was lost is in doubt, and the run
    refuses to go on until somebody has looked (:class:`PostInDoubt`).

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

    Raises:
        NotImplementedError: The module does not support checkpoints.
        StorageError: Another process has the run, or the directory cannot be written.
        ValueError: The directory holds a run of another module.
    """

    def __init__(
        self,
        face: KilroyFace[Any, Any],
        module: KilroyModule[Any, Any],
        directory: str | Path,
        update_rate: int = 10,
        post_rate: float = 1.0,
        score_delay_s: float = 0.0,
        around: Callable[[JournaledFace], KilroyFace[Any, Any]] = ReviewedFace,
        clock: Clock | None = None,
    ) -> None:
        """Opens the journal and goes back to the checkpoint; sends nothing."""
        module.state()  # refuses at once what cannot be kept
        integer("update_rate", update_rate, 1)
        self._clock = clock or UnixClock()
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self._file = directory / CHECKPOINT
        name = type(module).__name__
        checkpoint = Checkpoint.load(self._file)
        if checkpoint is not None and checkpoint.module != name:
            raise ValueError(f"{directory} holds a run of a {checkpoint.module}, not of a {name}")
        begun = len(checkpoint.drafts) if checkpoint is not None else 0
        if begun not in (0, update_rate):
            raise ValueError(
                f"{directory} holds a round of {begun} posts that is not finished: go on with "
                f"update_rate={begun}, got {update_rate}"
            )
        self._journaled = _RoundJournal(face, directory / JOURNAL, name, self._clock)
        self._rounds = _Rounds(around(self._journaled), self._journaled)
        self._env: FaceVectorEnv[Any, Any] = FaceVectorEnv(
            self._rounds,
            update_rate,
            post_rate=post_rate,
            score_delay_s=score_delay_s,
            wait=False,
            clock=self._clock,
        )
        self._module = _Checkpointed(module, self._save)
        self._agent: ModuleAgent[Any, Any] = ModuleAgent(self._module, self._env)
        self.posts = 0
        self.started = checkpoint is not None
        if checkpoint is not None:
            self._go_back(checkpoint)

    @property
    def module(self) -> KilroyModule[Any, Any]:
        """The module as it is now."""
        return self._module.inner

    def warm_start(self, **options: Any) -> None:
        """Lets the module mimic existing posts, unless the run has begun already.

        Args:
            **options: Those of :meth:`~kilroy_gym.training.KilroyTrainer.fine_tune`.
        """
        if not self.started:
            KilroyTrainer(self._env, self._agent).fine_tune(**options)
            self._save([])

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
        """
        rest = integer("posts", posts, 1) - self.posts
        if rest >= self._agent.update_rate:
            before = self.posts

            def count(played: Any) -> bool | None:
                self.posts = before + played.number * self._agent.update_rate
                return None if callback is None or not played.posts else callback(played)

            self._agent.learn(rest, count, progress_bar)
            self.posts = before + rest // self._agent.update_rate * self._agent.update_rate
            self._save([])

    def stop(self) -> None:
        """Asks the run to end after the post that is being made (``KeyboardInterrupt``)."""
        if not self._rounds.sending:
            raise KeyboardInterrupt
        self._rounds.stopping = True

    def close(self) -> None:
        """Lets others open the run."""
        self._rounds.close()

    def _save(self, drafts: Sequence[Draft]) -> None:
        """Writes a checkpoint, and with drafts the keys of the posts that they become."""
        last = self._journaled.journal.last_key()
        first = fresh_key(self._clock, last)
        keys = [first + number for number in range(len(drafts))]
        Checkpoint(
            type(self.module).__name__,
            self.module.state(),
            self.posts,
            [(draft_id, post.x, post.context) for draft_id, post in drafts],
            keys,
            list(self._agent.open_drafts.items()),
        ).save(self._file)
        self.started = True
        self._rounds.keys = deque(keys)

    def _go_back(self, checkpoint: Checkpoint) -> None:
        self.module.set_state(checkpoint.state)
        self.posts = checkpoint.posts
        self._module.again = [(i, PostData(x, context)) for i, x, context in checkpoint.drafts]
        self._rounds.keys = deque(checkpoint.keys)
        made = {entry.post_id: entry.made_at for entry in self._journaled.journal.entries()}
        now = self._clock.time()
        self._agent.open_drafts.update(checkpoint.open_drafts)
        expected = (post_id for post_id, _ in checkpoint.open_drafts)
        self._env.expect({post_id: now - (made.get(post_id) or now) for post_id in expected})


class _RoundJournal(JournaledFace):
    """Takes the key of the next post from the round, where the wrappers around hand none on."""

    key = 0

    def post(self, data: PostData[Any]) -> Any:
        """Makes a post that is not in the journal yet, and returns the id of one that is."""
        entry = self.journal.find(self.key)
        if entry is not None and entry.state == "in doubt" and not hasattr(self, "post_once"):
            raise PostInDoubt(
                f"post {self.key} ({data.x!r}) was perhaps made, and {type(self.face).__name__} "
                "has no post_once to make sure: look whether it is there, and tell the journal "
                "with Journal(path).made(key, post_id) or .refused(key, reason)"
            )
        return self._post_once(data, self.key)

    def refuse(
        self, data: PostData[Any], refusal: str, score: float, key: int | None = None
    ) -> int:
        """Journals a refused post under its key of the round."""
        return super().refuse(data, refusal, score, self.key if key is None else key)


class _Rounds(FaceWrapper):
    """Gives the posts of a round the keys that the checkpoint has for them, in order.

    Args:
        face: The Face inside.
        journaled: The journal in it.
    """

    def __init__(self, face: KilroyFace[Any, Any], journaled: _RoundJournal) -> None:
        super().__init__(face)
        self.journaled = journaled
        self.keys: deque[int] = deque()
        self.sending = self.stopping = False

    def post(self, data: PostData[Any]) -> Any:
        """Makes the next post of the round, or returns its id where it was made before."""
        if self.stopping:
            raise KeyboardInterrupt
        inside: Any = self.face
        self.journaled.key = key = self.keys.popleft()
        self.sending = True
        try:
            once = hasattr(inside, "post_once")
            return inside.post_once(data, key) if once else inside.post(data)
        finally:
            self.sending = False


class _Checkpointed(KilroyModule[Any, Any]):
    """A module whose drafts are on the disk before anybody gets them.

    Args:
        inner: The module.
        save: Called with the drafts of a round.

    Attributes:
        again: The drafts of a round that was begun before; they are handed out once more.
    """

    def __init__(
        self, inner: KilroyModule[Any, Any], save: Callable[[Sequence[Draft]], None]
    ) -> None:
        self.inner = inner
        self.uses_observation = inner.uses_observation
        self.again: Sequence[Draft] = []
        self._save = save

    def generate(self) -> Draft:
        """Writes one post, which nobody sends."""
        return self.inner.generate()

    def generate_many(
        self, count: int, observations: Iterable[Any] | None = None
    ) -> Sequence[Draft]:
        """Writes the posts of a round."""
        drafts, self.again = self.again, []
        if not drafts:
            drafts = self.inner.generate_many(count, observations)
            self._save(drafts)
        return drafts

    def mimic(self, posts: Sequence[PostData[Any]]) -> "_Checkpointed":
        """Lets the module mimic."""
        self.inner = self.inner.mimic(posts)
        return self

    def reinforce(self, scores: Mapping[Any, float]) -> "_Checkpointed":
        """Lets the module learn."""
        self.inner = self.inner.reinforce(scores)
        return self

    def forget(self, draft_ids: Iterable[Any]) -> None:
        """Lets the module forget."""
        self.inner.forget(draft_ids)

    def metrics(self) -> dict[str, float]:
        """Returns the module's figures."""
        return self.inner.metrics()
