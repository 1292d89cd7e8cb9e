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
from kilroy_gym._progress import progress
from kilroy_gym.adapters.environments import kilroy_env
from kilroy_gym.adapters.evaluation import mean_score
from kilroy_gym.adapters.models import model_as_agent
from kilroy_gym.adapters.module_agent import UPDATE_RATE, ModuleAgent
from kilroy_gym.codecs import Codec
from kilroy_gym.data import DatasetFactory, MemoryCachingDatasetFactory
from kilroy_gym.data.scrape import Scrape
from kilroy_gym.data.weights import Resampled, Weigh, weigh_by
from kilroy_gym.envs import FaceVectorEnv
from kilroy_gym.interfaces import (
    Agent,
    AnyEnv,
    Callback,
    ClonesPosts,
    KilroyFace,
    MovesToEnv,
    PlaysModule,
    PlaysOneFace,
    Round,
    ScrapsScored,
    find,
)
from kilroy_gym.modules import KilroyModule

STEPS = 10
POST_RATE = 1.0


@dataclass(frozen=True)
class Epoch:
    """What happened in an epoch of fine-tuning.

    Attributes:
        number: The number of the epoch, from 1.
        posts: How many posts were mimicked.
        metrics: The module's own figures afterwards.
    """

    number: int
    posts: int
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pace:
    """How a run on a Face is timed, in the terms of :class:`~kilroy_gym.envs.FaceVectorEnv`."""

    num_envs: int = UPDATE_RATE
    post_rate: float = POST_RATE
    score_delay_s: float = 0.0
    wait: bool = True

    def env(self, face: KilroyFace[Any, Any], codec: Codec[Any] | None) -> AnyEnv:
        """Returns an environment with this timing, which leaves the Face open."""
        return FaceVectorEnv(
            face,
            self.num_envs,
            codec,
            self.post_rate,
            self.score_delay_s,
            self.wait,
            close_face=False,
        )


class KilroyTrainer:
    """Trains a module in two phases: it mimics existing posts, then its scores reinforce it.

    Args:
        face_or_env: A platform, or a Kilroy environment, which keeps its own timing, codec and
            wrappers.
        module_or_agent: A :class:`~kilroy_gym.modules.KilroyModule`, or an agent that plays this
            very environment, or a Stable-Baselines3 model that was made on it.
        dataset_factory: Where scraped posts are kept; in memory by default.
        codec: For a Face: between its posts and actions.
        seed: Starts a simulated Face over with this seed, and seeds the shuffling.

    Attributes:
        agent: The agent.
        skipped_posts: How many posts the last ``fine_tune`` skipped, since the codec of the
            environment, or that of the module, has no action for them.

    Raises:
        TypeError: An argument is something else.
        ValueError: Codec or timing are given twice.

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
        face_or_env: KilroyFace[Any, Any] | AnyEnv,
        module_or_agent: KilroyModule[Any, Any] | Agent | Any,
        dataset_factory: DatasetFactory[Any] | None = None,
        *,
        codec: Codec[Any] | None = None,
        seed: int | None = None,
    ) -> None:
        """Brings environment and agent together."""
        agent = model_as_agent(module_or_agent)
        if isinstance(face_or_env, KilroyFace) and isinstance(agent, PlaysOneFace):
            # Such an agent has an environment around the Face already, with timing of its own.
            agent.check_face(face_or_env)
            face_or_env = agent.env
        self._face = face_or_env if isinstance(face_or_env, KilroyFace) else None
        self.env: AnyEnv
        self._pace = Pace()
        if isinstance(face_or_env, KilroyFace):
            self.env = self._pace.env(face_or_env, codec)
        elif isinstance(face_or_env, (gym.Env, VectorEnv)):
            if codec is not None:
                raise ValueError("codec is given twice: an environment keeps the one it has")
            self.env = face_or_env
        else:
            raise TypeError(
                f"face_or_env must be a KilroyFace or a Gymnasium environment, got {face_or_env!r}"
            )
        self._codec: Codec[Any] | None = kilroy_env(self.env).codec
        self.agent: Agent = self._as_agent(agent)
        self.skipped_posts = 0
        self._dataset_factory = dataset_factory or MemoryCachingDatasetFactory()
        self._rng = np.random.default_rng(seed)
        if seed is not None:
            self.env.reset(seed=seed)

    @property
    def module(self) -> Any:
        """The module as it is now.

        Raises:
            AttributeError: The agent is no module's.
        """
        if not isinstance(self.agent, PlaysModule):
            raise AttributeError(
                f"{type(self.agent).__name__} has no module: it is no module's agent"
            )
        return self.agent.module

    @property
    def simulated(self) -> bool:
        """Whether the Face is a simulated one, so that :meth:`evaluate` works."""
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
        callback: Callable[[Epoch], bool | None] | None = None,
        progress_bar: bool | None = None,
    ) -> "KilroyTrainer":
        """Scraps existing posts and lets the agent mimic them.

        Args:
            epochs: How often to go through all posts; a Stable-Baselines3 model stops earlier
                where that does not help any more.
            batch_size: Posts to mimic at a time; by default 1, and 32 for such a model.
            shuffle: Whether every epoch has an order of its own, by the trainer's seed; by
                default only for such a model.
            limit: The most posts to scrap, or ``None`` for all.
            strict: Whether a post that a codec has no action for is an error; else it is skipped
                and counted.
            weight_by_score: Whether posts that scored better are mimicked more often. With
                ``True`` by the rank of the score (:func:`~kilroy_gym.weighting.rank_weights`); or
                give a function from the scores, float64 of shape ``(n,)`` with NaN where one is
                not known, to weights of at least 0. An epoch has ``n`` posts all the same, drawn
                by the trainer's seed.
            callback: Called after every epoch; ``False`` stops.
            progress_bar: Whether to show one; ``None`` shows it on a terminal.

        Raises:
            TypeError: ``weight_by_score`` is something else, or the Face does not tell the scores
                of scraped posts.
            ValueError: A number is below 1, no post was found to mimic, or ``weight_by_score``
                finds no scores or returns no weights.
            UnencodablePost: With ``strict``, a codec has no action for a post.
        """
        integer("epochs", epochs, 1)
        for name, value in (("batch_size", batch_size), ("limit", limit)):
            if value is not None:
                integer(name, value, 1)
        weigh = weigh_by(weight_by_score)
        scrape = _scrape_of(self.env, self.agent, limit, strict, weigh is not None)
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
                return self
            rng, mimic = self._rng if shuffle else None, self.agent.mimic
            for number in progress(range(1, epochs + 1), epochs, "Mimicking", progress_bar):
                for batch in dataset.batches(batch_size or 1, rng):
                    mimic(batch)
                if callback is not None:
                    plays_module = isinstance(self.agent, PlaysModule)
                    metrics = self.module.metrics() if plays_module else {}
                    if callback(Epoch(number, len(dataset), metrics)) is False:
                        break
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
        """Posts, scores and reinforces, until the first of the limits given is reached.

        Args:
            steps: The most updates to make; 10 where no limit is given at all.
            post_rate: For a Face: seconds after each post before the next; by default 1.
            update_rate: Posts in a round, which is scored together and then reinforced once; by
                default 10, or the slots of a vector environment. A Stable-Baselines3 model keeps
                its own.
            score_delay_s: For a Face: how old a post must be before its score is asked for.
            wait: For a Face: whether a round waits for its scores; by default it does.
            posts: The most posts to make. Rounds are whole: what would not fill one is not made.
            seconds: No round begins later than this.
            callback: Called after every round; ``False`` stops. A Stable-Baselines3 model also
                takes one of its own callbacks or a list of these, where ``seconds`` is not given.
            progress_bar: Whether to show one; ``None`` shows it on a terminal.

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

        Nothing that is learned from or posted to changes; only the agent's own random stream
        moves on.

        Raises:
            TypeError: The Face is a live one, which cannot be copied.
        """
        integer("posts", posts, 1)
        twin = kilroy_env(self.env).snapshot()
        twin.wait = True  # whoever is evaluated: a score that is pending is none yet
        return mean_score(self.agent, twin, posts)

    def _as_agent(self, module_or_agent: Any) -> Any:
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
        """Returns how many posts an update takes: a round, where the agent does not tell."""
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
        """Gives the run its timing: another pace needs another environment around a Face."""
        timing = {"post_rate": post_rate, "score_delay_s": score_delay_s, "wait": wait}
        given = [name for name, value in timing.items() if value is not None]
        if self._face is None:
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
        if pace != self._pace:  # the same one may have a round to go on with
            env = pace.env(self._face, self._codec)
            self._mover().set_env(env)
            self.env, self._pace = env, pace

    def _mover(self) -> MovesToEnv:
        if not isinstance(self.agent, MovesToEnv):
            raise TypeError(
                f"update_rate must be left out: {type(self.agent).__name__} has no "
                "set_env(env, update_rate)"
            )
        return self.agent


def _reporting(
    callback: Callable[[Epoch], bool | None] | None, posts: int
) -> Callable[[int, dict[str, float]], bool | None]:
    return lambda number, metrics: callback and callback(Epoch(number, posts, metrics))


def _scrape_of(env: Any, agent: Any, limit: int | None, strict: bool, scored: bool) -> Scrape[Any]:
    """Returns what of an environment's existing posts an agent can mimic.

    Args:
        env: A Kilroy environment.
        agent: The agent; where it has a module with a codec, that decides as well.
        limit: As for :class:`Scrape`.
        strict: As for :class:`Scrape`.
        scored: Whether the scores are wanted.

    Raises:
        TypeError: The scores are wanted, and the Face does not tell them.
    """
    scrap = scrap_scored_of(env) if scored else kilroy_env(env).scrap
    own: Codec[Any] | None = agent.module.codec if isinstance(agent, PlaysModule) else None
    codecs = {id(codec): codec for codec in (kilroy_env(env).codec, own)}
    taken = [codec for codec in codecs.values() if codec is not None]
    return Scrape(scrap(limit), taken, limit, strict, scored)


def scrap_scored_of(env: Any) -> Callable[[int | None], Iterable[Any]]:
    """Returns the ``scrap_scored`` of an environment's Face.

    Raises:
        TypeError: The Face has none.
    """
    face = kilroy_env(env).face
    scored = find(face, ScrapsScored)
    if scored is None:
        raise TypeError(
            f"{type(face).__name__} has no scrap_scored(limit), so the scores of existing posts "
            "are not known: mimic without weight_by_score, or add that method (see KilroyFace)"
        )
    return scored.scrap_scored


def _stopping_after(seconds: float, callback: Callback | None) -> Callback:
    """Returns a callback that also stops a run once so many seconds have passed.

    Raises:
        TypeError: ``callback`` is no function of a round.
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
