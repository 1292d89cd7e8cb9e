"""What is compared: agents x warm starts x seeds, on one environment."""

import hashlib
import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym

import kilroy_gym
from kilroy_gym._records import fresh_directory, written_whole
from kilroy_gym.adapters import agent_file, load_agent_file
from kilroy_gym.adapters.environments import as_vector, check_not_pinned, kilroy_env
from kilroy_gym.comparison.settings import check_same, digest

WARM_STARTS = {"yes": (True,), "no": (False,), "both": (False, True)}
"""What the option ``--warm-start`` stands for."""

SETTINGS = "settings.json"


def start_word(warm_start: bool) -> str:
    """Returns the word for a start: ``"warm"`` or ``"cold"``."""
    return "warm" if warm_start else "cold"


@dataclass(frozen=True)
class Contender:
    """An agent that is compared.

    Attributes:
        name: Its name: the stem of its file.
        given: What the user typed: a name of the roster, or a path.
        path: Its file.
        sha256: Hash of the file's content, in hexadecimal.
    """

    name: str
    given: str
    path: Path
    sha256: str

    @classmethod
    def find(cls, given: str) -> "Contender":
        """Finds an agent file.

        Raises:
            ValueError: There is none, or it cannot be loaded.
        """
        path = agent_file(given).resolve()
        try:
            load_agent_file(path)
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(
                f"{given} cannot be loaded: {type(error).__name__}: {error}"
            ) from error
        return cls(path.stem, given, path, hashlib.sha256(path.read_bytes()).hexdigest())


@dataclass(frozen=True)
class PlannedRun:
    """One agent, cold or warm-started, on one seed.

    Attributes:
        agent: The agent.
        warm_start: Whether it mimics existing posts first.
        seed: Seed of the world and of the agent.
    """

    agent: Contender
    warm_start: bool
    seed: int

    @property
    def start(self) -> str:
        """How it starts, in a word."""
        return start_word(self.warm_start)

    @property
    def name(self) -> str:
        """Name of its files, without a suffix."""
        return f"{self.agent.name}-{self.start}-{self.seed}"


@dataclass(frozen=True)
class Plan:
    """The settings of a comparison.

    Attributes:
        env_id: The environment.
        agents: Who is compared.
        seeds: How many seeds, counted from 0. A seed is a world, the same for every agent.
        posts: The most posts that a run may make.
        update_rate: Posts per round: the slots of the environment.
        warm_start: ``"yes"``, ``"no"`` or ``"both"``.
    """

    env_id: str
    agents: tuple[Contender, ...]
    seeds: int
    posts: int
    update_rate: int
    warm_start: str

    @classmethod
    def checked(
        cls,
        env_id: str,
        agents: Sequence[str],
        seeds: int = 5,
        posts: int = 1000,
        update_rate: int = 10,
        warm_start: str = "both",
    ) -> "Plan":
        """Makes a plan that can be played.

        Args:
            env_id: The environment; without its version, the latest one.
            agents: Names of the roster, or paths of agent files.
            seeds: How many seeds, at least 1.
            posts: The most posts that a run may make, at least one round.
            update_rate: Posts per round, at least 1.
            warm_start: ``"yes"``, ``"no"`` or ``"both"``.

        Raises:
            ValueError: A number is out of range, an agent is unknown, cannot be loaded or is
                given twice, or the environment does not start afresh for every run.
            TypeError: It is no Kilroy environment.
            gymnasium.error.Error: There is no such environment.
        """
        if not agents:
            raise ValueError("give at least one agent: a name of the roster, or a path")
        if warm_start not in WARM_STARTS:
            raise ValueError(f"warm_start must be one of {list(WARM_STARTS)}, got {warm_start!r}")
        for name, number in (("seeds", seeds), ("round", update_rate)):
            if number < 1:
                raise ValueError(f"{name} must be at least 1, got {number!r}")
        if posts < update_rate:
            raise ValueError(
                f"a round makes {update_rate} posts, so {posts} posts allow none: raise posts or "
                "lower round"
            )
        env_id = _checked_environment(env_id, update_rate)
        found = tuple(Contender.find(given) for given in agents)
        _check_different(found)
        return cls(env_id, found, seeds, posts, update_rate, warm_start)

    @property
    def pairs(self) -> list[tuple[Contender, bool]]:
        """Every agent with every warm start: the rows of the table."""
        return [(agent, warm) for agent in self.agents for warm in WARM_STARTS[self.warm_start]]

    @property
    def runs(self) -> list[PlannedRun]:
        """All runs, seed by seed."""
        return [PlannedRun(*pair, seed) for seed in range(self.seeds) for pair in self.pairs]

    def settings(self) -> dict[str, Any]:
        """Returns everything that the results depend on, as JSON values."""
        return {
            "env": self.env_id,
            "posts": self.posts,
            "round": self.update_rate,
            "seeds": self.seeds,
            "warm_start": self.warm_start,
            "agents": {a.name: {"file": a.given, "sha256": a.sha256} for a in self.agents},
            "kilroy_gym": kilroy_gym.__version__,
        }

    def command(self) -> str:
        """Returns the command line that repeats this comparison."""
        words = [self.env_id, *(agent.given for agent in self.agents)]
        options = f"--seeds {self.seeds} --posts {self.posts} --round {self.update_rate}"
        return f"kilroy-gym compare {shlex.join(words)} {options} --warm-start {self.warm_start}"

    def directory(self, out: Path | None) -> Path:
        """Makes the directory of the results, or finds the one of an earlier start.

        Args:
            out: The directory; ``None`` for one under ``runs/``, named by the environment and a
                hash of all settings, so that the same comparison finds its own again.

        Raises:
            ValueError: The directory holds something else, or a comparison with other settings.
        """
        settings = self.settings()
        if out is None:
            name = f"compare-{self.env_id}-{digest(settings)}"
            out = Path("runs") / re.sub(r"[^\w.-]", "-", name)
        file = out / SETTINGS
        if file.is_file():
            check_same(file, settings)
        else:
            fresh_directory(out, "")
            with written_whole(file) as part:
                part.write_text(json.dumps(settings, indent=2), encoding="utf-8")
        (out / "runs").mkdir(exist_ok=True)
        return out


def _checked_environment(env_id: str, update_rate: int) -> str:
    """Returns the id with its version, and the package to import where one was given."""
    env = gym.make_vec(env_id, num_envs=update_rate)
    kilroy_env(as_vector(env))
    check_not_pinned(env, "a comparison starts a world over for every run")
    if env.spec is None or env.spec.nondeterministic:
        raise ValueError(
            f"{env_id} posts to a live Face: a comparison needs one that starts afresh for every "
            "run, so that all agents meet the same audience; give an id of `kilroy-gym envs`"
        )
    env.close()
    package, colon, _ = env_id.rpartition(":")
    return f"{package}{colon}{env.spec.id}"


def _check_different(agents: Sequence[Contender]) -> None:
    seen: dict[str, Contender] = {}
    for agent in agents:
        before = seen.setdefault(agent.name, agent)
        if before is agent:
            continue
        if before.path == agent.path:
            raise ValueError(f"agent {agent.name!r} is given twice: once is enough")
        raise ValueError(
            f"two agents would be called {agent.name!r}, {before.path} and {agent.path}: rename "
            "one of the files"
        )
