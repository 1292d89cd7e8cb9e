"""The settings of a comparison: which two are the same, and how others differ."""

import hashlib
import json
from pathlib import Path
from typing import Any


def digest(settings: dict[str, Any]) -> str:
    """Returns a short hash, the same for settings that give the same results."""
    return hashlib.sha256(json.dumps(_flat(settings)).encode()).hexdigest()[:8]


def check_same(file: Path, settings: dict[str, Any]) -> None:
    """Compares settings with those that a file holds.

    Raises:
        ValueError: They differ in what the results depend on, or the file holds something else.
    """
    differences = _differences(_read_settings(file), settings)
    if differences:
        raise ValueError(
            f"{file.parent} holds a comparison with other settings ({'; '.join(differences)}): "
            "repeat those to go on with it, or give --out a new directory"
        )


def _read_settings(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        _flat(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{file} does not hold the settings of a comparison; give --out a new directory"
        ) from error
    return found


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings that the results depend on; the path of an agent's file is not one."""
    flat = {f"agent {name}": value["sha256"] for name, value in settings["agents"].items()}
    return dict(sorted((flat | {k: v for k, v in settings.items() if k != "agents"}).items()))


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Describes what differs."""
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
