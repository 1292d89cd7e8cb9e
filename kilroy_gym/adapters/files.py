"""Agent files: an agent is a Python file with ``make_agent(env, seed) -> agent``."""

import importlib.util
from collections.abc import Callable
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import kilroy_gym
from kilroy_gym._named import find_named

MakeAgent = Callable[[Any, int | None], Any]
"""Makes an agent, or a Stable-Baselines3 model, for an environment and a seed."""
Kind = TypeVar("Kind")


def roster() -> dict[str, Path]:
    """Returns the shipped agent files, by name."""
    package = Path(kilroy_gym.__file__).parent
    # Beside the package in a checkout, inside it in the wheel.
    folders = [package.parent / "agents", package / "agents"]
    checkout = (package.parent / "pyproject.toml").exists()
    folder = folders[0] if checkout else folders[1]
    return {path.stem: path for path in sorted(folder.glob("*.py"))}


def agent_file(name_or_path: str | PathLike[str]) -> Path:
    """Returns the path of an agent file.

    Args:
        name_or_path: A name from the roster, or the path of a file that ends in ``.py``.

    Raises:
        ValueError: There is no such agent or file.
    """
    path = Path(name_or_path)
    if path.suffix != ".py":
        known = roster()
        if str(name_or_path) not in known:
            near = get_close_matches(str(name_or_path), known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"no agent {str(name_or_path)!r}: the roster has {', '.join(known)}; give a file "
                f"of your own by its path, ending in .py.{hint}"
            )
        path = known[str(name_or_path)]
    if not path.is_file():
        raise ValueError(f"there is no agent file {path}")
    return path


def load_agent_file(name_or_path: str | PathLike[str]) -> MakeAgent:
    """Returns ``make_agent`` of an agent file.

    Args:
        name_or_path: As for :func:`agent_file`.

    Raises:
        ValueError: There is no such agent or file, or the file defines no ``make_agent``.
        ImportError: The file needs a package that is not installed.
    """
    path = agent_file(name_or_path)
    spec = importlib.util.spec_from_file_location(f"kilroy_agent_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be loaded as Python")
    loaded = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(loaded)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("stable_baselines3", "torch"):
            raise
        raise ImportError(
            f"{path} needs {error.name}: pip install 'kilroy-gym[sb3]'", name=error.name
        ) from error
    make_agent = getattr(loaded, "make_agent", None)
    if not callable(make_agent):
        raise ValueError(f"{path} defines no function make_agent(env, seed) that returns an agent")
    found: MakeAgent = make_agent
    return found


def load_named(reference: str, kind: type[Kind]) -> Kind:
    """Returns what ``package.module:name`` names; calls it if it is a class or function.

    Args:
        reference: The name, as for :func:`find_named`.
        kind: The class that the result must have.

    Raises:
        TypeError: The result is of another class.
    """
    found = find_named(reference)
    made: object = found() if callable(found) and not isinstance(found, kind) else found
    if not isinstance(made, kind):
        raise TypeError(f"{reference} must give a {kind.__name__}, got {made!r}")
    return made
