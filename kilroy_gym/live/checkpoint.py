"""What a run needs to continue exactly where it stopped."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kilroy_gym._records import made_private, written_whole
from kilroy_gym.faces.wrappers.dry_run import DryRunId
from kilroy_gym.faces.wrappers.reviewed import RefusedId
from kilroy_gym.interfaces import AnyId, Observation, State
from kilroy_gym.post import AnyPost
from kilroy_gym.storage.packing import pack, unpack
from kilroy_gym.storage.sqlite import StorageError

Draft = tuple[AnyId, AnyPost]
OWN_IDS = {"refused": RefusedId, "dry run": DryRunId}
"""Ids of posts that are on no platform."""


@dataclass
class Checkpoint:
    """A run between two rounds, or with a round that is about to go out.

    Attributes:
        player: The class name of the module or model.
        state: Its state, including the drafts of the round.
        posts: Posts of the finished rounds.
        drafts: Draft id, content and context of each draft of the round that is about to go out;
            empty between rounds.
        open_drafts: Post id and draft id of earlier posts whose scores are pending.
    """

    player: str
    state: State
    posts: int = 0
    drafts: list[tuple[AnyId, Any, Observation]] = field(default_factory=list)
    open_drafts: list[tuple[AnyId, AnyId]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Writes it durably; the earlier checkpoint stays until this one is on the disk.

        Raises:
            TypeError: The state or a draft cannot be stored; the message lists what can.
            StorageError: The file cannot be written.
        """
        content = vars(self) | {"open_drafts": [(_named(i), d) for i, d in self.open_drafts]}
        text = json.dumps(pack(content))
        try:
            with (
                written_whole(path) as part,
                made_private(part).open("w", encoding="utf-8") as file,
            ):
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            _sync(path.parent)
        except OSError as error:
            raise StorageError(
                f"checkpoint {path} cannot be written: {error.strerror or error}; no post was sent "
                "that is not in the last one. It needs a writable directory and room on the disk"
            ) from error

    @classmethod
    def load(cls, path: Path, player: str | None = None) -> "Checkpoint | None":
        """Reads a checkpoint; returns ``None`` if there is none yet.

        Args:
            path: The file.
            player: The class name of the module or model that must match; ``None`` for any.

        Raises:
            ValueError: It is not a checkpoint, or is of another class of module or model.
        """
        if not path.exists():
            return None
        try:
            found = cls(**unpack(json.loads(path.read_text(encoding="utf-8"))))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} is not a checkpoint of a run: {error}") from error
        found.open_drafts = [(_unnamed(i), d) for i, d in found.open_drafts]
        if player not in (None, found.player):
            raise ValueError(
                f"{path.parent} holds a run of a {found.player}, not of a {player}: give another "
                f"directory, or a {found.player}"
            )
        return found


def _named(post_id: AnyId) -> AnyId | dict[str, int]:
    """Returns an id in its stored form; platforms' ids are never dicts, which have no hash."""
    names = [name for name, kind in OWN_IDS.items() if isinstance(post_id, kind)]
    return {names[0]: post_id.number} if names else post_id


def _unnamed(stored: AnyId | dict[str, int]) -> AnyId:
    if not isinstance(stored, dict):
        return stored
    ((name, number),) = stored.items()
    return OWN_IDS[name](number)


def _sync(directory: Path) -> None:
    """Makes file names in a directory durable, where the system can."""
    if os.name == "posix":
        opened = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
