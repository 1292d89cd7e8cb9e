"""The parts of a run, by the names that a user gives."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from kilroy_gym._records import made_private, written_whole
from kilroy_gym.adapters import ModuleAgent, find_named, load_agent_file, load_named
from kilroy_gym.adapters.models import model_as_agent
from kilroy_gym.codecs import Codec
from kilroy_gym.envs import FaceVectorEnv
from kilroy_gym.faces.wrappers.reviewed import ReviewedFace
from kilroy_gym.interfaces import AnyFace, Checkpointable, KilroyFace
from kilroy_gym.live.base import CHECKPOINT, BaseLiveRun
from kilroy_gym.live.checkpoint import Checkpoint
from kilroy_gym.live.run import LiveRun
from kilroy_gym.modules import KilroyModule

NAMES = "names.json"


@dataclass(frozen=True)
class Names:
    """The parts of a run, all but the agent as ``package.module:name``.

    Attributes:
        face: The Face.
        module: The module, or ``None`` if there is an agent.
        agent: A name from the roster or the path of an agent file, or ``None``.
        codec: The codec of the agent's actions, or ``None`` if there is a module.
        around: The function that puts wrappers around the journaled Face, or ``None``.
        update_rate: Posts in a round.
        seed: Seed of an agent.

    Raises:
        ValueError: The names do not fit together.
    """

    face: str
    module: str | None = None
    agent: str | None = None
    codec: str | None = None
    around: str | None = None
    update_rate: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks that the names fit together."""
        if (self.module is None) == (self.agent is None):
            raise ValueError("give either --module package.module:name or --agent, not both")
        if (self.agent is None) != (self.codec is None):
            raise ValueError(
                "--agent and --codec belong together: an agent's actions are numbers or text, and "
                "the codec (package.module:name) turns them into posts"
            )

    def save(self, directory: Path) -> None:
        """Writes them to the run's directory."""
        with written_whole(directory / NAMES) as part:
            made_private(part).write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path, module: str | None = None) -> "Names":
        """Reads the names of a run.

        Args:
            directory: The run's directory.
            module: The module's new name, if it has moved.

        Raises:
            ValueError: There is no run, or the file does not hold a run's names.
        """
        if not (directory / NAMES).exists():
            raise ValueError(f"{directory} holds no run that `kilroy-gym run` began")
        try:
            names = cls(**json.loads((directory / NAMES).read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{directory / NAMES} does not hold a run's names: {error}") from error
        return names if module is None else replace(names, module=module, agent=None, codec=None)

    def player(self, face: AnyFace) -> Any:
        """Returns a new module, or a new Stable-Baselines3 agent on an environment of the Face.

        Raises:
            TypeError: The agent file makes neither.
        """
        if self.module is not None:
            return load_named(self.module, KilroyModule)
        env = FaceVectorEnv(face, self.update_rate, load_named(str(self.codec), Codec))
        made = model_as_agent(load_agent_file(str(self.agent))(env, self.seed))
        player = made.module if isinstance(made, ModuleAgent) else made
        if not isinstance(player, KilroyModule) and not isinstance(player, Checkpointable):
            raise TypeError(
                f"{self.agent} must make a module or an agent that can be saved, by state() and "
                f"set_state(), got {made!r}"
            )
        return player

    def sketches(self, directory: Path, count: int) -> list[Any]:
        """Returns the contents of posts as they would be written now; sends nothing.

        Raises:
            ValueError: The run has not begun.
        """
        face = load_named(self.face, KilroyFace)
        player = self.player(face)
        checkpoint = Checkpoint.load(directory / CHECKPOINT, class_of(player))
        if checkpoint is None:
            raise ValueError(f"{directory} holds a run that has not begun")
        player.set_state(checkpoint.state)
        if isinstance(player, KilroyModule):
            seen = player.uses_observation
            observations = FaceVectorEnv(face, count).reset()[0] if seen else None
            return [post.x for _, post in player.generate_many(count, observations)]
        observations, _ = FaceVectorEnv(face, count, player.codec).reset()
        return list(player.codec.decode_many(player.predict(observations)[0]))

    def run(self, directory: Path, post_rate: float, score_delay_s: float) -> BaseLiveRun:
        """Opens the run in a directory; rates and delays are in seconds."""
        face = load_named(self.face, KilroyFace)
        player = self.player(face)
        around = ReviewedFace if self.around is None else find_named(self.around)
        run: BaseLiveRun
        if isinstance(player, KilroyModule):
            rate = self.update_rate
            run = LiveRun(face, player, directory, rate, post_rate, score_delay_s, around)
        else:
            from kilroy_gym.live.model_run import LiveModelRun

            run = LiveModelRun(face, player, directory, post_rate, score_delay_s, around)
        self.save(directory)
        return run


def class_of(player: Any) -> str:
    """Returns the name of the class of a module, or of an agent's model."""
    return type(player if isinstance(player, KilroyModule) else player.model).__name__
