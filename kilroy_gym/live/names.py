"""What a run is made of, by the names that a user gives."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from kilroy_gym._records import written_whole
from kilroy_gym.adapters import ModuleAgent, find_named, load_agent_file, load_named
from kilroy_gym.adapters.models import model_as_agent
from kilroy_gym.codecs import Codec
from kilroy_gym.envs import FaceVectorEnv
from kilroy_gym.faces.wrappers.reviewed import ReviewedFace
from kilroy_gym.interfaces import Checkpointable, KilroyFace
from kilroy_gym.live.base import CHECKPOINT, Run
from kilroy_gym.live.checkpoint import Checkpoint
from kilroy_gym.live.run import LiveRun
from kilroy_gym.modules import KilroyModule

NAMES = "names.json"


@dataclass(frozen=True)
class Names:
    """The parts of a run; each but the agent as ``package.module:name``.

    Attributes:
        face: The Face.
        module: The module; or ``None``, where there is an agent.
        agent: A name of the roster or the path of an agent file; or ``None``.
        codec: The codec of the agent's actions; or ``None``, where there is a module.
        around: What puts wrappers around the journal; or ``None``.
        update_rate: Posts in a round.
        seed: Seed of an agent.

    Raises:
        ValueError: They do not belong together.
    """

    face: str
    module: str | None = None
    agent: str | None = None
    codec: str | None = None
    around: str | None = None
    update_rate: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks what belongs together."""
        if (self.module is None) == (self.agent is None):
            raise ValueError("give either --module package.module:name or --agent, and not both")
        if (self.agent is None) != (self.codec is None):
            raise ValueError(
                "--agent and --codec belong together: an agent's actions are numbers or text, and "
                "the codec (package.module:name) says what they are as posts"
            )

    def save(self, directory: Path) -> None:
        """Writes them where the run is, for who looks at it."""
        with written_whole(directory / NAMES) as part:
            part.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path, module: str | None = None) -> "Names":
        """Reads the names of a run, with another one of the module where that was moved.

        Raises:
            ValueError: There is no run, or the file is something else.
        """
        if not (directory / NAMES).exists():
            raise ValueError(f"{directory} holds no run that `kilroy-gym run` began")
        try:
            names = cls(**json.loads((directory / NAMES).read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{directory / NAMES} does not hold a run's names: {error}") from error
        return names if module is None else replace(names, module=module, agent=None, codec=None)

    def player(self, face: KilroyFace[Any, Any]) -> Any:
        """Returns a new module, or a new agent of Stable-Baselines3 on an environment of the Face.

        Raises:
            TypeError: It is neither.
        """
        if self.module is not None:
            return load_named(self.module, KilroyModule)
        env = FaceVectorEnv(face, self.update_rate, load_named(str(self.codec), Codec))
        made = model_as_agent(load_agent_file(str(self.agent))(env, self.seed))
        player = made.module if isinstance(made, ModuleAgent) else made
        if not isinstance(player, KilroyModule) and not isinstance(player, Checkpointable):
            raise TypeError(
                f"{self.agent} must make a module or an agent with state() and set_state(), which "
                f"can be kept, got {made!r}"
            )
        return player

    def sketches(self, directory: Path, count: int) -> list[Any]:
        """Returns the contents of posts that would be made now; nothing is sent.

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

    def run(self, directory: Path, post_rate: float, score_delay_s: float) -> Run:
        """Opens the run in a directory."""
        face = load_named(self.face, KilroyFace)
        player = self.player(face)
        around = ReviewedFace if self.around is None else find_named(self.around)
        rates: dict[str, Any] = {"post_rate": post_rate, "score_delay_s": score_delay_s}
        if isinstance(player, KilroyModule):
            run: Run = LiveRun(face, player, directory, self.update_rate, around=around, **rates)
        else:
            from kilroy_gym.live.model_run import LiveModelRun

            run = LiveModelRun(face, player, directory, around=around, **rates)
        self.save(directory)
        return run


def class_of(player: Any) -> str:
    """Returns the name of the class of a module, or of an agent's model."""
    return type(player if isinstance(player, KilroyModule) else player.model).__name__
