"""What a dotted name stands for."""

import importlib
import sys
from typing import Any


def find_named(reference: str) -> Any:
    """Returns what ``package.module:name`` names.

    Args:
        reference: The name; what the current folder has can be named, as with ``python -m``.

    Raises:
        ValueError: It is not of that form.
        ImportError: There is no such module.
        AttributeError: The module has no such name.
    """
    path, _, name = reference.partition(":")
    if not path or not name:
        raise ValueError(f"{reference!r} must be of the form package.module:name")
    if "" not in sys.path:
        sys.path.insert(0, "")
    found: Any = importlib.import_module(path)
    for part in name.split("."):
        found = getattr(found, part)
    return found
