"""Rules for posts: each returns why a post is refused, or ``None``."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from kilroy_gym._checks import integer
from kilroy_gym.post import AnyPost
from kilroy_gym.storage.packing import pack

Rule = Callable[[AnyPost], str | None]
"""Maps a post to the reason to refuse it, or ``None``; any such function is a rule."""


def length(longest: int, shortest: int = 1, count: Callable[[Any], int] = len) -> Rule:
    """Returns the rule that a post's length is from ``shortest`` to ``longest``.

    Args:
        longest: The largest length allowed.
        shortest: The smallest length allowed, at least 0.
        count: Maps a post's content to its length; platforms count in different ways.

    Raises:
        ValueError: A limit is not an integer, or ``longest`` is below ``shortest``.

    Example:
        >>> from kilroy_gym import PostData
        >>> length(5)(PostData("Hello!"))
        'length 6 is not from 1 to 5'
    """
    integer("shortest", shortest, 0)
    integer("longest", longest, shortest)

    def rule(post: AnyPost) -> str | None:
        found = count(post.x)
        fits = shortest <= found <= longest
        return None if fits else f"length {found} is not from {shortest} to {longest}"

    return rule


def banned(words: Iterable[str]) -> Rule:
    """Returns the rule that text contains none of the given words or phrases.

    It compares whole words and ignores case, invisible characters and variants of the same letter
    (Unicode's NFKC). Content that is not text passes.

    Raises:
        ValueError: There are no words, or one is empty.

    Example:
        >>> from kilroy_gym import PostData
        >>> banned(["spam"])(PostData("Some SPAM, please"))
        "'spam' is banned"
        >>> banned(["spam"])(PostData("spamalot"))
    """
    if isinstance(words, str):
        raise ValueError(f"words must be a list of words, got the text {words!r}")
    plain = [plain_text(word) for word in words]
    if not plain or not all(plain):
        raise ValueError(f"words must be at least one, none of them empty, got {plain!r}")
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, plain))})(?!\w)")

    def rule(post: AnyPost) -> str | None:
        found = pattern.search(plain_text(post.x)) if isinstance(post.x, str) else None
        return None if found is None else f"{found.group()!r} is banned"

    return rule


def ask_person(post: AnyPost) -> str | None:
    """A rule: a person at the terminal must approve the post.

    Raises:
        RuntimeError: There is no terminal to ask at.
    """
    # repr, since a text could otherwise move the cursor or hide a part of itself
    question = f"Post {post.x!r}? [y/n] "
    while True:
        try:
            answer = input(question).strip().casefold()
        except EOFError:
            raise RuntimeError(
                "a person must review every post, and there is no terminal to ask at: run this in "
                "a terminal, or leave the rule ask_person out"
            ) from None
        if answer in ("y", "yes"):
            return None
        if answer in ("n", "no"):
            return "a person said no"


def plain_text(text: str) -> str:
    """Returns a text in lower case, with single spaces and without invisible characters."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    seen = (character for character in normal if unicodedata.category(character) != "Cf")
    return " ".join("".join(seen).split())


def fingerprint(x: Any) -> str:
    """Returns a text that is equal for contents that readers would call the same.

    Raises:
        TypeError: The content has a type that cannot be stored.
    """
    return json.dumps(pack(plain_text(x) if isinstance(x, str) else x))
