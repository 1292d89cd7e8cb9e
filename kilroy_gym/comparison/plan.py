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
from kilroy_gym.adapters.environments import as_vector, kilroy_env

WARM_STARTS = {"yes": (True,), "no": (False,), "both": (False, True)}
"""What the option ``--warm-start`` stands for."""

SETTINGS = "settings.json"


@dataclass(frozen=True)
class Contender:
    """An agent that is compared.

    Attributes:
        name: How it is called: the stem of its file.
        given: What the user called it: a name of the roster, or a path.
        path: Its file.
        sha256: Hash of the file's content.
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
class Run:
    """One agent, cold or warm-started, on one seed."""

    agent: Contender
    warm_start: bool
    seed: int

    @property
    def name(self) -> str:
        """Name of its files."""
        return f"{self.agent.name}-{'warm' if self.warm_start else 'cold'}-{self.seed}"


@dataclass(frozen=True)
class Plan:
    """The settings of a comparison.

    Attributes:
        env_id: The environment.
        agents: Who is compared.
        seeds: How many seeds, counted from 0. A seed is a world, the same for every agent.
        posts: The most posts of a run.
        update_rate: Posts in a round, the slots of the environment.
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
        """Makes a plan that can be played; ``agents`` are names of the roster or paths.

        Raises:
            ValueError: A number is out of range, an agent is unknown, cannot be loaded or is
                given twice, or the environment does not start afresh.
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
        """Every agent with every warm start: what gets a row in the table."""
        return [(agent, warm) for agent in self.agents for warm in WARM_STARTS[self.warm_start]]

    @property
    def runs(self) -> list[Run]:
        """All runs; a seed is finished before the next begins."""
        return [Run(*pair, seed) for seed in range(self.seeds) for pair in self.pairs]

    def settings(self) -> dict[str, Any]:
        """Returns what decides the results, as JSON values."""
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
        """Returns the command line that makes this comparison."""
        words = [self.env_id, *(agent.given for agent in self.agents)]
        options = f"--seeds {self.seeds} --posts {self.posts} --round {self.update_rate}"
        return f"kilroy-gym compare {shlex.join(words)} {options} --warm-start {self.warm_start}"

    def directory(self, out: Path | None) -> Path:
        """Makes the directory of the results, or finds the one to go on in.

        Args:
            out: What the user asked for. By default a name under ``runs/`` made from the
                environment and a hash of all settings, so the same comparison finds its own.

        Raises:
            ValueError: It holds something else, or a comparison with other settings.
        """
        settings = self.settings()
        if out is None:
            digest = hashlib.sha256(json.dumps(_flat(settings)).encode()).hexdigest()[:8]
            out = Path("runs") / re.sub(r"[^\w.-]", "-", f"compare-{self.env_id}-{digest}")
        file = out / SETTINGS
        if file.is_file():
            differences = _differences(_read_settings(file), settings)
            if differences:
                raise ValueError(
                    f"{out} holds a comparison with other settings ({'; '.join(differences)}): "
                    "repeat those to go on with it, or give --out a new directory"
                )
        else:
            fresh_directory(out, "")
            with written_whole(file) as part:
                part.write_text(json.dumps(settings, indent=2), encoding="utf-8")
        (out / "runs").mkdir(exist_ok=True)
        return out


def _checked_environment(env_id: str, update_rate: int) -> str:
    """Returns the id with its version, and with the package to import, if one was given."""
    env = gym.make_vec(env_id, num_envs=update_rate)
    kilroy_env(as_vector(env))
    if env.spec is None or env.spec.nondeterministic:
        raise ValueError(
            f"{env_id} posts to a live Face: a comparison needs one that starts afresh for every "
            "run, so that all agents meet the same audience"
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


def _read_settings(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        _flat(found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file} is not of a comparison; give --out a new directory") from error
    return found


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings that count: where an agent's file lies does not."""
    flat = {f"agent {name}": value["sha256"] for name, value in settings["agents"].items()}
    return dict(sorted((flat | {k: v for k, v in settings.items() if k != "agents"}).items()))


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Says in words what differs."""
    old, new = _flat(before), _flat(now)
    words = []
    for key in sorted(old.keys() | new.keys()):
        if key not in new or key not in old:
            words.append(f"{key} is only {'there' if key in old else 'here'}")
        elif old[key] != new[key] and key.startswith("agent "):
            words.append(f"the file of {key} has changed")
        elif old[key] != new[key]:
            words.append(f"{key} {old[key]} there, {new[key]} here")
    return words
