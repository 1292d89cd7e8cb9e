"""A module as an agent."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Generic

import numpy as np
from gymnasium.vector import VectorEnv

from kilroy_gym._checks import integer
from kilroy_gym._progress import progress
from kilroy_gym.adapters.environments import kilroy_env, unflattened, whole_posts
from kilroy_gym.adapters.rounds import Draft, Rounds, actions_of
from kilroy_gym.adapters.whole_posts import WholePosts
from kilroy_gym.interfaces import Action, AnyArray, AnyEnv, AnyId, Callback, Observation, Round
from kilroy_gym.modules import DraftId, KilroyModule
from kilroy_gym.modules.base import AnyModule
from kilroy_gym.post import PostData, X
from kilroy_gym.storage.packing import pack, unpack

BeforeSending = Callable[[Sequence[Draft]], Sequence[Draft]]
"""Called with the drafts of a step before any of them is sent; returns the drafts to send."""
UPDATE_RATE = 10
"""Posts in a round on an environment with one post per step, as in the original system."""


class ModuleAgent(Generic[X, DraftId]):
    """Lets a :class:`~kilroy_gym.modules.KilroyModule` play a Kilroy environment.

    Args:
        module: The generator.
        env: A Kilroy environment, wrapped or not; a vector environment must have autoreset mode
            ``SAME_STEP``.
        update_rate: Posts between two updates, a multiple of the slots of ``env``. By default the
            slots of a vector environment, else 10.

    Attributes:
        module: The module as it is now.
        update_rate: Posts between two updates.
        rounds: The rounds under way; after an error they continue where they stopped.

    Raises:
        TypeError: ``module`` is not a module, or ``env`` is not a Kilroy environment.
        ValueError: ``update_rate`` is out of range, or the autoreset mode is another one.
    """

    file_suffix = ".json"

    def __init__(
        self,
        module: KilroyModule[X, DraftId],
        env: AnyEnv,
        update_rate: int | None = None,
    ) -> None:
        """Sets the environment."""
        self.module: AnyModule = checked_module(module, "module")
        self._move(env, update_rate)

    def set_env(self, env: AnyEnv, update_rate: int | None = None) -> None:
        """Moves to another environment; the arguments are those of the class.

        A round that an error interrupted is first finished on the old environment.

        Raises:
            FaceError: The Face failed again.
        """
        self.finish()
        self._move(env, update_rate)

    def _move(self, env: AnyEnv, update_rate: int | None) -> None:
        self._env = whole_posts(env)
        slots = self._env.num_envs
        usual = slots if isinstance(env, VectorEnv) else UPDATE_RATE
        self.update_rate = usual if update_rate is None else integer("update_rate", update_rate, 1)
        if self.update_rate % slots:
            raise ValueError(
                f"update_rate must be a multiple of the environment's {slots} slots, "
                f"got {update_rate!r}"
            )
        self._codec = kilroy_env(self._env).codec
        self.rounds = Rounds(self._env, self.update_rate)

    @property
    def rollout(self) -> str:
        """Posts between two updates, as shown in the table of a comparison."""
        return str(self.update_rate)

    def predict(
        self,
        observation: Observation,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Action, Any]:
        """Returns an action for an observation, or a batch for a batch, and the next state.

        A module always samples: ``deterministic`` is ignored. What is written here is not
        reinforced. On environments that compose posts, the state holds the posts being written;
        otherwise it is returned unchanged.
        """
        space = self._env.single_observation_space
        batched = np.ndim(observation) > len(space.shape or ())
        given = observation if batched else [observation]
        observations = unflattened(self._env, given)
        if isinstance(self._env, WholePosts):
            actions, state = self._env.next_tokens(observations, state, self._sketch)
        else:
            actions = self._sketch(observations)
        return (actions if batched else actions[0]), state

    def mimic(self, posts: Sequence[PostData[X]]) -> "ModuleAgent[X, DraftId]":
        """Lets the module mimic one batch of posts."""
        module = self.module.mimic(posts)
        if module is not self.module:
            self.module = checked_module(module, "mimic")
        return self

    def learn(
        self,
        total_timesteps: int,
        callback: Callback | None = None,
        progress_bar: bool | None = False,
        *,
        before_sending: BeforeSending | None = None,
    ) -> "ModuleAgent[X, DraftId]":
        """Posts in rounds and reinforces the module with the scores.

        Only whole rounds are made. If the environment does not wait for scores, pending ones are
        waited for at the end. If an error or interrupt ended the last call, its round is finished
        first: the rest is posted, and its scores are learned from. A module whose ``reinforce``
        raised gets the same scores again.

        Args:
            total_timesteps: The most posts to make, including an unfinished round.
            callback: Called with every :class:`Round`; ``False`` stops.
            progress_bar: Whether to show a progress bar; ``None`` shows it on a terminal.
            before_sending: Called with the drafts of a step before any of them is sent; returns
                the drafts to send.

        Raises:
            TypeError: ``callback`` is no function.
            ValueError: The budget is less than one round.
            FaceError: The Face failed; the error carries the posts and scores of the round.
        """
        if callback is not None and not callable(callback):
            raise TypeError(
                f"callback must be a function of a Round, got {callback!r}; nothing was posted "
                "(only a Stable-Baselines3 model takes callbacks of that library)"
            )
        rounds = total_timesteps // self.update_rate
        if rounds < 1:
            raise ValueError(
                f"a round makes {self.update_rate} posts, so a budget of {total_timesteps} allows "
                "none: raise the budget or lower update_rate"
            )
        self.rounds.keeps_posts = callback is not None
        with self.rounds.unbroken():
            for number in progress(range(1, rounds + 1), rounds, "Posting", progress_bar):
                if self._play(number, callback, before_sending) is False:
                    break
            self._drain(number + 1, callback)
        return self

    def finish(self, callback: Callback | None = None) -> "ModuleAgent[X, DraftId]":
        """Finishes a round of :meth:`learn` that was interrupted, and begins no other.

        Args:
            callback: Called with the finished round.

        Raises:
            FaceError: The Face failed again.
        """
        if self.rounds.current.drafts or self.rounds.open_drafts:
            with self.rounds.unbroken():
                if self.rounds.current.drafts:
                    self._play(1, callback, None)
                self._drain(2, callback)
        return self

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the module's state to a JSON file, atomically.

        Raises:
            NotImplementedError: The module does not support checkpoints.
            TypeError: Its state holds a value that cannot be stored.
        """
        content = {"module": type(self.module).__name__, "state": pack(self.module.state())}
        written = Path(f"{os.fspath(path)}.part")
        written.write_text(json.dumps(content), encoding="utf-8")
        written.replace(path)

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        module: KilroyModule[X, DraftId],
        env: AnyEnv,
    ) -> "ModuleAgent[X, DraftId]":
        """Returns an agent whose ``module`` continues from what :meth:`save` wrote.

        Raises:
            ValueError: The file is not a saved agent, or holds another class of module.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            saved, state = content["module"], unpack(content["state"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is not a saved agent: {error}") from error
        if saved != type(module).__name__:
            raise ValueError(f"{path} holds a {saved}, not a {type(module).__name__}")
        module.set_state(state)
        return cls(module, env)

    def _play(
        self, number: int, callback: Callback | None, before_sending: BeforeSending | None
    ) -> bool | None:
        """Plays a round or the rest of one, reinforces with all new scores, calls back."""
        played, scores = self.rounds.play(partial(self._write, before_sending))
        self._reinforce(scores)
        self.rounds.finish()
        return None if callback is None else callback(played.told(number, self.module.metrics()))

    def _sketch(self, observations: Observation) -> Action:
        """Returns actions for observations; the module forgets the drafts."""
        drafts = self.module.generate_many(len(observations), observations)
        self.module.forget([draft_id for draft_id, _ in drafts])
        return actions_of(self._codec, [post for _, post in drafts])

    def _write(
        self,
        before_sending: BeforeSending | None,
        contexts: AnyArray,
        before: Sequence[Draft],
    ) -> Sequence[Draft]:
        """Lets the module write; refuses repeated draft ids before anything is posted."""
        drafts: Sequence[Draft] = self.module.generate_many(self._env.num_envs, contexts)
        taken = {draft_id for draft_id, _ in before} | set(self.rounds.open_drafts.values())
        for draft in drafts:
            draft_id = _checked_id(draft, self.module)
            if draft_id in taken:
                raise ValueError(
                    f"{type(self.module).__name__} gave two drafts the same id, {draft_id!r}; "
                    "ids must differ while scores are pending"
                )
            taken.add(draft_id)
        return drafts if before_sending is None else before_sending(drafts)

    def _reinforce(self, scores: Mapping[DraftId, float]) -> None:
        if scores:
            self.module = checked_module(self.module.reinforce(scores), "reinforce")

    def _drain(self, number: int, callback: Callback | None) -> None:
        """Waits for pending scores, so that none is lost."""
        if self.rounds.open_drafts:
            arrived, scores = self.rounds.drain()
            self._reinforce(scores)
            self.rounds.finish_drain()
            if callback is not None:
                callback(Round(number, [], [], [], arrived, self.module.metrics()))


def _checked_id(draft: Draft, module: AnyModule) -> AnyId:
    """Returns the id of a draft.

    Raises:
        TypeError: It is not a draft: a hashable id and a post.
    """
    try:
        draft_id, post = draft
        hash(draft_id)
    except (TypeError, ValueError):
        post = None
    if not isinstance(post, PostData):
        raise TypeError(
            f"{type(module).__name__}.generate must return (draft id, PostData), where the id is "
            f"hashable, such as an int, got {draft!r}"
        )
    return draft_id


def checked_module(module: object, source: str) -> AnyModule:
    """Returns a module unchanged.

    Raises:
        TypeError: It is not a module.
    """
    if not isinstance(module, KilroyModule):
        advice = "" if source == "module" else " (return self, or a new module)"
        raise TypeError(f"{source} must give a KilroyModule{advice}, got {module!r}")
    return module
