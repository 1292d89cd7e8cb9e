"""What a run needs to go on exactly where it was."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kilroy_gym._records import written_whole
from kilroy_gym.faces.wrappers.dry_run import DryRunId
from kilroy_gym.faces.wrappers.reviewed import RefusedId
from kilroy_gym.post import PostData
from kilroy_gym.storage.packing import pack, unpack
from kilroy_gym.storage.sqlite import StorageError

Draft = tuple[Any, PostData[Any]]
OWN_IDS = {"refused": RefusedId, "dry run": DryRunId}
"""Ids of posts that no platform has."""


@dataclass
class Checkpoint:
    """A run between two rounds, or with a round that is about to go out.

    Attributes:
        player: The class of the module or model.
        state: Its state, the drafts of the round included.
        posts: Posts of the finished rounds.
        drafts: The round that goes out: draft id, content and context of each; empty between
            rounds.
        open_drafts: Post id and draft id of posts of earlier rounds whose scores are pending.
    """

    player: str
    state: dict[str, Any]
    posts: int = 0
    drafts: list[tuple[Any, Any, Any]] = field(default_factory=list)
    open_drafts: list[tuple[Any, Any]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Writes it durably: the earlier one stays until all of this is on the disk.

        Raises:
            TypeError: It holds what cannot be stored; the message lists what can.
            StorageError: It cannot be written.
        """
        content = vars(self) | {"open_drafts": [(_named(i), d) for i, d in self.open_drafts]}
        text = json.dumps(pack(content))
        try:
            with written_whole(path) as part, part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            _sync(path.parent)
        except OSError as error:
            raise StorageError(
                f"checkpoint {path} cannot be written: {error.strerror or error}; nothing was sent "
                "that is not in the last one. It needs a directory that can be written, and room "
                "on the disk"
            ) from error

    @classmethod
    def load(cls, path: Path, player: str | None = None) -> "Checkpoint | None":
        """Reads one; ``None`` where there is none yet.

        Args:
            path: The file.
            player: The class of the module or model that goes on from it; ``None`` for any.

        Raises:
            ValueError: The file is something else, or of another class of module or model.
        """
        if not path.exists():
            return None
        try:
            found = cls(**unpack(json.loads(path.read_text(encoding="utf-8"))))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} is no checkpoint of a run: {error}") from error
        found.open_drafts = [(_unnamed(i), d) for i, d in found.open_drafts]
        if player not in (None, found.player):
            raise ValueError(
                f"{path.parent} holds a run of a {found.player}, not of a {player}: give another "
                "directory, or what began the run"
            )
        return found


def _named(post_id: Any) -> Any:
    """Returns an id as it is stored; no platform has a dict for one, which has no hash."""
    names = [name for name, kind in OWN_IDS.items() if isinstance(post_id, kind)]
    return {names[0]: post_id.number} if names else post_id


def _unnamed(stored: Any) -> Any:
    if not isinstance(stored, dict):
        return stored
    ((name, number),) = stored.items()
    return OWN_IDS[name](number)


def _sync(directory: Path) -> None:
    """Makes the name of a file durable, where the system knows how."""
    if os.name == "posix":
        opened = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
