"""A module as an agent."""

import json
import os
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Generic

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv

from kilroy_gym._checks import integer
from kilroy_gym._progress import progress
from kilroy_gym.adapters.environments import kilroy_env, whole_posts
from kilroy_gym.adapters.whole_posts import WholePosts
from kilroy_gym.codecs import Codec
from kilroy_gym.interfaces import Callback, Round
from kilroy_gym.modules import DraftId, KilroyModule
from kilroy_gym.post import PostData, X
from kilroy_gym.storage.packing import pack, unpack

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
        open_drafts: The drafts whose scores are pending, by post id.

    Raises:
        TypeError: ``module`` is no module, or ``env`` no Kilroy environment.
        ValueError: ``update_rate`` is out of range, or the environment resets otherwise.
    """

    file_suffix = ".json"

    def __init__(
        self,
        module: KilroyModule[X, DraftId],
        env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any],
        update_rate: int | None = None,
    ) -> None:
        """Sets the environment."""
        self.module = checked_module(module, "module")
        self.open_drafts: dict[Any, DraftId] = {}
        self.set_env(env, update_rate)

    def set_env(
        self,
        env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any],
        update_rate: int | None = None,
    ) -> None:
        """Moves to another environment; takes the arguments of the class."""
        self._scalar = not isinstance(env, VectorEnv)
        self._env = whole_posts(env)
        self._codec: Codec[Any] | None = kilroy_env(self._env).codec
        slots = self._env.num_envs
        usual = UPDATE_RATE if self._scalar else slots
        self.update_rate = usual if update_rate is None else integer("update_rate", update_rate, 1)
        if self.update_rate % slots:
            raise ValueError(
                f"update_rate must be a multiple of the environment's {slots} slots, "
                f"got {update_rate!r}"
            )

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
    ) -> "ModuleAgent[X, DraftId]":
        """Posts in rounds and reinforces the module with the scores.

        Rounds are whole: posts that would not fill one are not made. Where the environment does
        not wait for scores, those that are pending at the end are waited for.

        Args:
            total_timesteps: The most posts to make.
            callback: Called with every :class:`Round`; ``False`` stops.
            progress_bar: Whether to show one; ``None`` shows it on a terminal.

        Raises:
            ValueError: The budget does not allow one round.
            FaceError: The Face failed; the error carries the posts and scores of the round.
        """
        rounds = total_timesteps // self.update_rate
        if rounds < 1:
            raise ValueError(
                f"a round makes {self.update_rate} posts, so a budget of {total_timesteps} allows "
                "none: raise the budget or lower update_rate"
            )
        # A reset never touches the platform; it begins the first episodes.
        observations, _ = self._env.reset()
        numbers = progress(range(1, rounds + 1), rounds, "Posting", progress_bar)
        for number in numbers:
            played, observations = self._play(number, observations)
            if callback is not None and callback(played) is False:
                break
        self._drain(number + 1, callback)
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
        env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any],
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

    def _play(self, number: int, observations: Any) -> tuple[Round, Any]:
        """Plays one round, reinforces with every score that came, and says what happened."""
        slots = self._env.num_envs
        drafts: list[tuple[DraftId, PostData[X]]] = []
        parts: list[tuple[Any, Any]] = []
        arrived: dict[Any, float] = {}
        for _ in range(self.update_rate // slots):
            written = self._write(slots, observations, drafts)
            actions = self._actions([post for _, post in written])
            observations, rewards, _, _, infos = self._env.step(actions)
            drafts += written
            parts.append((rewards, infos["final_info"]))
            arrived.update(infos.get("arrived", {}))
        post_ids = [post_id for _, info in parts for post_id in info["post_id"].tolist()]
        rewards = [reward for rewards, _ in parts for reward in rewards.tolist()]
        pending = [late for _, info in parts for late in info.get("pending", [False] * slots)]
        known = zip(rewards, pending, strict=True)
        scores = [None if late else reward for reward, late in known]
        reinforced: dict[DraftId, float] = {}
        for (draft_id, _), post_id, score in zip(drafts, post_ids, scores, strict=True):
            if score is None:
                self.open_drafts[post_id] = draft_id
            else:
                reinforced[draft_id] = score
        for post_id, score in arrived.items():  # of earlier rounds, or earlier in this one
            reinforced[self.open_drafts.pop(post_id)] = score
        self._reinforce(reinforced)
        posts = [post for _, post in drafts]
        truths = [_joined(parts, key) for key in ("expected_score", "best_score")]
        metrics = self.module.metrics()
        return Round(number, post_ids, posts, scores, arrived, metrics, *truths), observations

    def _sketch(self, observations: Any) -> Any:
        """Returns actions for observations; what the module wrote for them is forgotten."""
        drafts = self.module.generate_many(len(observations), observations)
        self.module.forget([draft_id for draft_id, _ in drafts])
        return self._actions([post for _, post in drafts])

    def _write(
        self, count: int, observations: Any, before: Sequence[tuple[DraftId, PostData[X]]]
    ) -> Sequence[tuple[DraftId, PostData[X]]]:
        """Lets the module write, and refuses a draft id that is taken before anything is posted."""
        drafts: Sequence[tuple[DraftId, PostData[X]]]
        drafts = self.module.generate_many(count, observations)
        taken = {draft_id for draft_id, _ in before} | set(self.open_drafts.values())
        for draft_id, _ in drafts:
            if draft_id in taken:
                raise ValueError(
                    f"{type(self.module).__name__} gave two drafts the same id, {draft_id!r}; "
                    "ids must differ while scores are open"
                )
            taken.add(draft_id)
        return drafts

    def _actions(self, posts: list[PostData[X]]) -> Any:
        return posts if self._codec is None else self._codec.encode_many(post.x for post in posts)

    def _reinforce(self, scores: Mapping[DraftId, float]) -> None:
        if scores:
            self.module = checked_module(self.module.reinforce(scores), "reinforce")

    def _drain(self, number: int, callback: Callback | None) -> None:
        """Waits for the scores that are still open, so that none is lost."""
        if self.open_drafts:
            arrived: dict[Any, float] = self._env.unwrapped.drain()  # type: ignore[attr-defined]
            self._reinforce(
                {self.open_drafts.pop(post_id): score for post_id, score in arrived.items()}
            )
            if callback is not None:
                callback(Round(number, [], [], [], arrived, self.module.metrics()))


def checked_module(module: Any, source: str) -> Any:
    """Returns a module as it is.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(module, KilroyModule):
        advice = "" if source == "module" else " (return self, or a new module)"
        raise TypeError(f"{source} must give a KilroyModule{advice}, got {module!r}")
    return module


def _joined(parts: list[tuple[Any, Any]], key: str) -> Any:
    return np.concatenate([i[key] for _, i in parts]) if key in parts[0][1] else None
