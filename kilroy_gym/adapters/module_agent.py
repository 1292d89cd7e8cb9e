"""A module as an agent."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Generic

import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from kilroy_gym._checks import integer
from kilroy_gym._progress import progress
from kilroy_gym.adapters.environments import kilroy_env, whole_posts
from kilroy_gym.adapters.rounds import Draft, Rounds, actions_of
from kilroy_gym.adapters.whole_posts import WholePosts
from kilroy_gym.interfaces import AnyEnv, Callback, Round
from kilroy_gym.modules import DraftId, KilroyModule
from kilroy_gym.post import PostData, X
from kilroy_gym.storage.packing import pack, unpack

BeforeSending = Callable[[Sequence[Draft]], Sequence[Draft]]
"""Called with the drafts of a step before any of them is sent; returns the drafts to send."""
UPDATE_RATE = 10
"""Posts in a round on an environment of one post a step, as in the original system."""


class ModuleAgent(Generic[X, DraftId]):
    """Lets a :class:`~kilroy_gym.modules.KilroyModule` play a Kilroy environment.

    Args:
        module: The generator.
        env: A Kilroy environment, wrapped or not; a vector environment must reset in the
            ``SAME_STEP``.
        update_rate: Posts between two updates: a multiple of the slots of ``env``. By default
            the slots of a vector environment, else 10.

    Attributes:
        module: The module as it is now.
        update_rate: Posts between two updates.
        rounds: What is under way, and goes on after an error.

    Raises:
        TypeError: ``module`` is no module, or ``env`` no Kilroy environment.
        ValueError: ``update_rate`` is out of range, or the environment resets otherwise.
    """

    file_suffix = ".json"

    def __init__(
        self,
        module: KilroyModule[X, DraftId],
        env: AnyEnv,
        update_rate: int | None = None,
    ) -> None:
        """Sets the environment."""
        self.module: KilroyModule[Any, Any] = checked_module(module, "module")
        self._move(env, update_rate)

    def set_env(self, env: AnyEnv, update_rate: int | None = None) -> None:
        """Moves to another environment; takes the arguments of the class.

        What an error has left of a round on the environment before is finished there first.

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
        """The posts between two updates, as the table of a comparison shows them."""
        return str(self.update_rate)

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """Returns an action for an observation, or a batch for a batch, and the next state.

        A module always samples: ``deterministic`` changes nothing. What is written here is not
        reinforced. Where posts are composed, the state is what the module is writing; else it
        stays as it is.
        """
        space = self._env.single_observation_space
        batched = np.ndim(observation) > len(space.shape or ())
        observations = observation if batched else [observation]
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

        Rounds are whole: posts that would not fill one are not made. Where the environment does
        not wait for scores, those that are pending at the end are waited for. What an error or an
        interrupt has left of the last call comes first: the rest of its round is posted, and its
        scores are learned from.

        Args:
            total_timesteps: The most posts to make, those of the round that was begun included.
            callback: Called with every :class:`Round`; ``False`` stops.
            progress_bar: Whether to show one; ``None`` shows it on a terminal.
            before_sending: Called with the drafts of a step before any of them is sent; returns
                the drafts to send.

        Raises:
            TypeError: ``callback`` is no function.
            ValueError: The budget does not allow one round.
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
        """Finishes what an error or an interrupt has left of :meth:`learn`, and begins nothing.

        Args:
            callback: Called with what was finished.

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
        """Writes the module's state to a JSON file, all of it or nothing.

        Raises:
            NotImplementedError: The module does not support checkpoints.
            TypeError: Its state holds what cannot be stored.
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
        """Returns an agent whose ``module`` goes on from what :meth:`save` wrote.

        Raises:
            ValueError: The file is no such file, or holds another class of module.
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
        """Plays a round, or the rest of one, reinforces with every score that came, and tells."""
        played, scores = self.rounds.play(partial(self._write, before_sending))
        self._reinforce(scores)
        return None if callback is None else callback(played.told(number, self.module.metrics()))

    def _sketch(self, observations: Any) -> Any:
        """Returns actions for observations; what the module wrote for them is forgotten."""
        drafts = self.module.generate_many(len(observations), observations)
        self.module.forget([draft_id for draft_id, _ in drafts])
        return actions_of(self._codec, [post for _, post in drafts])

    def _write(
        self,
        before_sending: BeforeSending | None,
        contexts: npt.NDArray[Any],
        before: Sequence[Draft],
    ) -> Sequence[Draft]:
        """Lets the module write, and refuses a draft id that is taken before anything is posted."""
        drafts: Sequence[Draft] = self.module.generate_many(self._env.num_envs, contexts)
        taken = {draft_id for draft_id, _ in before} | set(self.rounds.open_drafts.values())
        for draft_id, _ in drafts:
            if draft_id in taken:
                raise ValueError(
                    f"{type(self.module).__name__} gave two drafts the same id, {draft_id!r}; "
                    "ids must differ while scores are open"
                )
            taken.add(draft_id)
        return drafts if before_sending is None else before_sending(drafts)

    def _reinforce(self, scores: Mapping[DraftId, float]) -> None:
        if scores:
            self.module = checked_module(self.module.reinforce(scores), "reinforce")

    def _drain(self, number: int, callback: Callback | None) -> None:
        """Waits for the scores that are still open, so that none is lost."""
        if self.rounds.open_drafts:
            arrived, scores = self.rounds.drain()
            self._reinforce(scores)
            if callback is not None:
                callback(Round(number, [], [], [], arrived, self.module.metrics()))


def checked_module(module: object, source: str) -> KilroyModule[Any, Any]:
    """Returns a module as it is.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(module, KilroyModule):
        advice = "" if source == "module" else " (return self, or a new module)"
        raise TypeError(f"{source} must give a KilroyModule{advice}, got {module!r}")
    return module
