"""The handle and password of an account, from where nobody else can read them."""

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Marks of direction and of no width, which copying from a page brings along."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a platform asks for at login.

    Attributes:
        handle: The name of the account.
        password: Its password; not in the repr.
    """

    handle: str
    password: str = field(repr=False)


def credentials_from_environment(
    prefix: str, environ: Mapping[str, str] | None = None
) -> Credentials:
    """Returns the credentials in the variables ``PREFIX_HANDLE`` and ``PREFIX_PASSWORD``.

    Args:
        prefix: The first part of the variables' names.
        environ: The variables; by default those of this process.

    Raises:
        ValueError: A variable is not set, or empty.
    """
    variables = os.environ if environ is None else environ
    names = [f"{prefix}_HANDLE", f"{prefix}_PASSWORD"]
    missing = [name for name in names if not variables.get(name)]
    if missing:
        raise ValueError(
            f"{' and '.join(missing)} not set: set both {names[0]} and {names[1]} in the "
            "environment, or give a credentials file"
        )
    return _cleaned(variables[names[0]], variables[names[1]])


def credentials_from_file(path: str | Path) -> Credentials:
    """Returns the credentials in a private file: ``{"handle": .., "password": ..}``.

    Args:
        path: A JSON file; its mode must be 0600 or stricter.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a regular file, belongs to another user, can be read or written by
            others, or has other content. The message quotes nothing of it.
    """
    path = Path(path)
    with path.open(encoding="utf-8-sig") as file:  # Windows's editors write a mark before it
        _check_privacy(path, os.fstat(file.fileno()))
        credentials = _parsed(file)
    if credentials is None:
        raise ValueError(f'{path} must hold JSON: {{"handle": "NAME", "password": "PASSWORD"}}')
    return credentials


def _check_privacy(path: Path, status: os.stat_result) -> None:
    """Checks the opened file itself, so that nobody can swap it in between."""
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is not a regular file: write the credentials into one")
    if os.name != "posix":
        return
    if status.st_uid != os.geteuid():
        raise ValueError(
            f"{path} belongs to user {status.st_uid}: credentials must belong to user "
            f"{os.geteuid()}, who reads them"
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise ValueError(
            f"{path} has mode {mode:04o}, so others can use it: allow at most 0600 by "
            f"`chmod 600 {path}`, and change the password if others may have seen it"
        )


def _parsed(file: TextIO) -> Credentials | None:
    """Returns ``None`` rather than raising: an error from here would carry the file's text."""
    try:
        content: object = json.load(file)
    except ValueError:
        return None
    if not isinstance(content, dict) or set(content) != {"handle", "password"}:
        return None
    if not all(isinstance(value, str) and value for value in content.values()):
        return None
    return _cleaned(content["handle"], content["password"])


def cleaned(text: str) -> str:
    """Returns a name without what copying adds: space around it, an ``@``, invisible marks."""
    return INVISIBLE.sub("", text).strip().removeprefix("@")


def _cleaned(handle: str, password: str) -> Credentials:
    return Credentials(cleaned(handle), INVISIBLE.sub("", password).strip())
