"""Warm start, then the environment loop."""

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv

from kilroy_gym._checks import integer
from kilroy_gym._pace import POST_RATE, Pace
from kilroy_gym._progress import progress
from kilroy_gym._scraping import scrape_of
from kilroy_gym.adapters.environments import check_not_pinned, kilroy_env
from kilroy_gym.adapters.evaluation import evaluation_copy, mean_score
from kilroy_gym.adapters.models import model_as_agent
from kilroy_gym.adapters.module_agent import UPDATE_RATE, ModuleAgent
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.data import Dataset, DatasetFactory, MemoryCachingDatasetFactory
from kilroy_gym.data.weights import Resampled, Weigh, weigh_by
from kilroy_gym.envs import FaceVectorEnv
from kilroy_gym.interfaces import (
    AfterEpoch,
    Agent,
    AnyEnv,
    AnyFace,
    Callback,
    ClonesPosts,
    KilroyFace,
    MovesToEnv,
    PlaysModule,
    PlaysOneFace,
    Round,
)
from kilroy_gym.modules import KilroyModule
from kilroy_gym.modules.base import AnyModule

STEPS = 10
"""Updates in a run without a limit, as in the original system."""


@dataclass(frozen=True)
class Epoch:
    """What happened in an epoch of fine-tuning.

    Attributes:
        number: The number of the epoch, from 1.
        posts: How many posts were mimicked.
        metrics: The module's own figures after the epoch.
    """

    number: int
    posts: int
    metrics: dict[str, float] = field(default_factory=dict)


EpochCallback = Callable[[Epoch], bool | None]
"""Called after every epoch; ``False`` stops."""


class KilroyTrainer:
    """Trains a module in two phases: it mimics existing posts, then scores reinforce it.

    Args:
        face_or_env: A Face, or a Kilroy environment, which keeps its own timing, codec and
            wrappers.
        module_or_agent: A :class:`~kilroy_gym.modules.KilroyModule`; or an agent that plays this
            same environment; or a Stable-Baselines3 model that was made on it.
        dataset_factory: Where to keep scraped posts; by default in memory.
        codec: Only for a Face: turns its posts into actions and back.
        seed: Restarts a simulated Face with this seed, and seeds the shuffling.

    Attributes:
        agent: The agent.
        skipped_posts: How many posts the last ``fine_tune`` skipped, since the environment's or
            the module's codec has no action for them.

    Raises:
        TypeError: An argument has the wrong type.
        ValueError: The codec or the timing is given twice, or ``seed`` for a world that is pinned
            by ``world_seed``.

    Example:
        >>> import gymnasium as gym
        >>> from kilroy_gym.modules import BernoulliModule
        >>> env = gym.make_vec("Kilroy-Bernoulli-v0", num_envs=10)
        >>> trainer = KilroyTrainer(env, BernoulliModule(seed=0), seed=0).fine_tune()
        >>> round(trainer.module.p, 2)
        0.34
        >>> round(trainer.run(steps=100).module.p, 2)
        1.0
    """

    def __init__(
        self,
        face_or_env: AnyFace | AnyEnv,
        module_or_agent: AnyModule | Agent | object,
        dataset_factory: DatasetFactory[Any] | None = None,
        *,
        codec: AnyCodec | None = None,
        seed: int | None = None,
    ) -> None:
        """Brings environment and agent together."""
        agent = model_as_agent(module_or_agent)
        if isinstance(face_or_env, KilroyFace) and isinstance(agent, PlaysOneFace):
            # Such an agent already has an environment around the Face, with its own timing.
            agent.check_face(face_or_env)
            face_or_env = agent.env
        self._face = face_or_env if isinstance(face_or_env, KilroyFace) else None
        self.env: AnyEnv
        if isinstance(face_or_env, KilroyFace):
            self.env = Pace().env(face_or_env, codec)
        elif isinstance(face_or_env, (gym.Env, VectorEnv)):
            if codec is not None:
                raise ValueError(
                    "codec is given twice: an environment keeps its own, so leave it out"
                )
            self.env = face_or_env
        else:
            raise TypeError(
                f"face_or_env must be a KilroyFace or a Gymnasium environment, got {face_or_env!r}"
            )
        self._codec: AnyCodec | None = kilroy_env(self.env).codec
        self.agent: Agent = self._as_agent(agent)
        self.skipped_posts = 0
        self._dataset_factory = dataset_factory or MemoryCachingDatasetFactory()
        self._rng = np.random.default_rng(seed)
        if seed is not None:
            check_not_pinned(self.env, "a trainer's seed starts the world over")
            self.env.reset(seed=seed)

    @property
    def module(self) -> Any:
        """The module as it is now.

        Raises:
            AttributeError: The agent does not play a module.
        """
        if not isinstance(self.agent, PlaysModule):
            raise AttributeError(
                f"{type(self.agent).__name__} has no module: it is not a module's agent"
            )
        return self.agent.module

    @property
    def simulated(self) -> bool:
        """Whether the Face is simulated, so that :meth:`evaluate` works."""
        return bool(kilroy_env(self.env).simulated)

    def fine_tune(
        self,
        epochs: int = 100,
        batch_size: int | None = None,
        shuffle: bool | None = None,
        limit: int | None = None,
        strict: bool = False,
        *,
        weight_by_score: bool | Weigh = False,
        callback: EpochCallback | None = None,
        progress_bar: bool | None = None,
    ) -> "KilroyTrainer":
        """Scraps existing posts and lets the agent mimic them.

        Args:
            epochs: The most passes over all posts; a Stable-Baselines3 model stops earlier when
                it no longer improves.
            batch_size: Posts per batch; by default 1, or 32 for a Stable-Baselines3 model.
            shuffle: Whether to shuffle the posts in every epoch, by the trainer's seed; by default
                only for a Stable-Baselines3 model.
            limit: The most posts to scrap, or ``None`` for all.
            strict: Whether a post that a codec has no action for is an error; otherwise it is
                skipped and counted.
            weight_by_score: Whether to mimic better-scored posts more often. ``True`` weights by
                the rank of the score (:func:`~kilroy_gym.data.weights.rank_weights`). A function
                maps the scores, float64 of shape ``(n,)`` with NaN if not known, to weights of at
                least 0. Each epoch still has ``n`` posts, drawn by the trainer's seed.
            callback: Called after every epoch; ``False`` stops.
            progress_bar: Whether to show a progress bar; ``None`` shows it on a terminal.

        Raises:
            TypeError: ``weight_by_score`` has the wrong type, or the Face does not provide the
                scores of scraped posts.
            ValueError: A number is below 1, no post was found to mimic, or ``weight_by_score``
                found no scores or did not return weights.
            UnencodablePost: A codec has no action for a post, with ``strict``.
        """
        integer("epochs", epochs, 1)
        for name, value in (("batch_size", batch_size), ("limit", limit)):
            if value is not None:
                integer(name, value, 1)
        weigh = weigh_by(weight_by_score)
        scrape = scrape_of(self.env, self.agent, limit, strict, weigh is not None)
        with self._dataset_factory.create(scrape) as dataset:
            self.skipped_posts = scrape.skipped
            if len(dataset) == 0:
                skipped = f" ({scrape.skipped} were skipped)" if scrape.skipped else ""
                raise ValueError(f"there are no posts to mimic: the scrape was empty{skipped}")
            if weigh is not None:
                dataset = Resampled(dataset, np.array(scrape.scores), weigh, self._rng)
            if isinstance(self.agent, ClonesPosts):
                after_epoch = _reporting(callback, len(dataset))
                own_order = shuffle is not False
                self.agent.fine_tune(
                    dataset, epochs, batch_size, self._rng, own_order, after_epoch, progress_bar
                )
            else:
                rng = self._rng if shuffle else None
                numbers = progress(range(1, epochs + 1), epochs, "Mimicking", progress_bar)
                self._mimic(dataset, numbers, batch_size or 1, rng, callback)
        return self

    def run(
        self,
        steps: int | None = None,
        post_rate: float | None = None,
        update_rate: int | None = None,
        *,
        score_delay_s: float | None = None,
        wait: bool | None = None,
        posts: int | None = None,
        seconds: float | None = None,
        callback: Callback | Any = None,
        progress_bar: bool | None = None,
    ) -> "KilroyTrainer":
        """Posts, scores and reinforces until the first of the given limits is reached.

        Args:
            steps: The most updates to make; by default 10 if no other limit is given.
            post_rate: Only for a Face: seconds after each post before the next; by default 1.
            update_rate: Posts in a round. A round is scored together and reinforced once. By
                default 10, or the slots of a vector environment. A Stable-Baselines3 model keeps
                its own.
            score_delay_s: Only for a Face: how old a post must be, in seconds, before its score is
                asked for; by default 0.
            wait: Only for a Face: whether a round waits for its scores; by default it does.
            posts: The most posts to make, in whole rounds.
            seconds: No round begins after this many seconds.
            callback: Called after every round; ``False`` stops. A Stable-Baselines3 model also
                takes one of its own callbacks or a list of these, but not with ``seconds``.
            progress_bar: Whether to show a progress bar; ``None`` shows it on a terminal.

        Raises:
            TypeError: ``callback`` is something else.
            ValueError: A limit or rate is out of range, or timing is given for an environment,
                which has its own.
            FaceError: The Face failed; the error carries the posts and scores of the round.
        """
        self._set_pace(post_rate, update_rate, score_delay_s, wait)
        if steps is None and posts is None and seconds is None:
            steps = STEPS
        budget = sys.maxsize
        if posts is not None:
            budget = integer("posts", posts, 1)
        if steps is not None:
            budget = min(budget, integer("steps", steps, 1) * self._posts_per_step())
        if seconds is not None:
            callback = _stopping_after(seconds, callback)
        if progress_bar is None:
            progress_bar = sys.stderr.isatty()
        self.agent.learn(budget, callback, progress_bar)
        return self

    def evaluate(self, posts: int = 100) -> float:
        """Returns the mean score of new posts, made on a copy of a simulated world.

        The copy keeps the environment's wrappers, except those that record or render. Scores are
        the Face's own, whatever a wrapper makes of rewards. Neither the world nor what was learned
        changes; only the agent's random stream advances.

        Args:
            posts: How many posts to make, at least 1.

        Raises:
            TypeError: The Face is a live one, which cannot be copied, or a wrapper cannot be.
        """
        integer("posts", posts, 1)
        return mean_score(self.agent, evaluation_copy(self.env), posts)

    def _mimic(
        self,
        dataset: Dataset[Any],
        epochs: Iterable[int],
        batch_size: int,
        rng: np.random.Generator | None,
        callback: EpochCallback | None,
    ) -> None:
        """Lets the agent mimic posts batch by batch, for the epochs with these numbers."""
        mimic = self.agent.mimic
        for number in epochs:
            for batch in dataset.batches(batch_size, rng):
                mimic(batch)
            if callback is not None:
                plays_module = isinstance(self.agent, PlaysModule)
                metrics = self.module.metrics() if plays_module else {}
                if callback(Epoch(number, len(dataset), metrics)) is False:
                    break

    def _as_agent(self, module_or_agent: object) -> Agent:
        if isinstance(module_or_agent, KilroyModule):
            return ModuleAgent(module_or_agent, self.env)
        if isinstance(module_or_agent, type) or not isinstance(module_or_agent, Agent):
            raise TypeError(
                "module_or_agent must be a KilroyModule or an agent with predict, mimic, learn "
                f"and save, got {module_or_agent!r}"
            )
        if self._face is not None and not isinstance(module_or_agent, MovesToEnv):
            raise TypeError(
                "on a Face the trainer makes the environment, and "
                f"{type(module_or_agent).__name__} cannot move to it: give the trainer the "
                "environment that the agent plays, such as FaceVectorEnv(face, 10, codec), or give "
                "the agent update_rate, rollout and set_env(env, update_rate=None)"
            )
        if isinstance(module_or_agent, PlaysOneFace):
            module_or_agent.check_face(self.env)
        return module_or_agent

    def _posts_per_step(self) -> int:
        """Returns the posts per update; if the agent does not tell, those of a step."""
        if isinstance(self.agent, MovesToEnv):
            return self.agent.update_rate
        return self.env.num_envs if isinstance(self.env, VectorEnv) else 1

    def _set_pace(
        self,
        post_rate: float | None,
        update_rate: int | None,
        score_delay_s: float | None,
        wait: bool | None,
    ) -> None:
        """Sets the timing of the run; on a Face, another timing needs another environment."""
        timing = {"post_rate": post_rate, "score_delay_s": score_delay_s, "wait": wait}
        given = [name for name, value in timing.items() if value is not None]
        if self._face is None or not isinstance(self.env, FaceVectorEnv):
            if given:
                raise ValueError(
                    f"{', '.join(given)} given twice: an environment keeps its own timing, so set "
                    "it where the environment is made"
                )
            if update_rate is not None:
                self._mover().set_env(self.env, update_rate)
            return
        if update_rate is not None:
            integer("update_rate", update_rate, 1)
        pace = Pace(
            update_rate or UPDATE_RATE,
            POST_RATE if post_rate is None else post_rate,
            score_delay_s or 0.0,
            wait is not False,
        )
        if pace.num_envs == self.env.num_envs:  # it may have a round to go on with
            self.env.set_pace(pace.post_rate, pace.score_delay_s, pace.wait)
        else:
            env = pace.env(self._face, self._codec)
            self._mover().set_env(env)
            self.env = env

    def _mover(self) -> MovesToEnv:
        if not isinstance(self.agent, MovesToEnv):
            raise TypeError(
                f"update_rate must be left out: {type(self.agent).__name__} has no "
                "set_env(env, update_rate)"
            )
        return self.agent


def _reporting(callback: EpochCallback | None, posts: int) -> AfterEpoch:
    return lambda number, metrics: callback and callback(Epoch(number, posts, metrics))


def _stopping_after(seconds: float, callback: Callback | None) -> Callback:
    """Returns a callback that also stops a run after ``seconds`` seconds.

    Raises:
        TypeError: ``callback`` is not a function of a round.
        ValueError: ``seconds`` is not positive.
    """
    if not seconds > 0:
        raise ValueError(f"seconds must be positive, got {seconds!r}")
    if not (callback is None or callable(callback)):
        raise TypeError(f"with seconds, callback must be a function of a Round, got {callback!r}")
    end = time.monotonic() + seconds

    def stop(played: Round) -> bool:
        return (callback is None or callback(played) is not False) and time.monotonic() < end

    return stop
