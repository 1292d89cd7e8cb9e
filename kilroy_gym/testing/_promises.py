"""Collecting every promise that a part breaks."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from typing import Any

from kilroy_gym.codecs.base import short
from kilroy_gym.post import PostData
from kilroy_gym.testing._values import is_hashable

PLAIN = "make every method a plain one, with asyncio.run inside where it must wait"


class Unkept(Exception):
    """What follows in a section makes no sense, since a promise is broken already."""


class Promises:
    """The promises of one part, and those of them that it breaks.

    Args:
        part: What is checked.
        kind: The class that it must be an instance of.
    """

    def __init__(self, part: object, kind: type) -> None:
        """Refuses what is no such part at all."""
        self.name = type(part).__name__
        self.kind = f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"
        self._broken: dict[str, None] = {}  # ordered, each line once
        if isinstance(part, type) and issubclass(part, kind):
            self.name = part.__name__
            self.broken(f"it is the class itself: hand in an instance, {self.name}(...)")
            self.settle()
        if not isinstance(part, kind):
            self.broken(f"{short(part)} is not {self.kind}: derive its class from {kind.__name__}")
            self.settle()

    @property
    def count(self) -> int:
        """How many promises are broken so far."""
        return len(self._broken)

    def broken(self, line: str) -> None:
        """Notes a broken promise; every run of white space becomes one space."""
        self._broken[" ".join(line.split())] = None

    def keep(self, kept: bool, line: str) -> bool:
        """Notes a promise that is broken unless ``kept``, which is returned."""
        if not kept:
            self.broken(line)
        return kept

    def need(self, kept: bool, line: str) -> None:
        """Does the same, and ends the section where the promise is broken."""
        if not self.keep(kept, line):
            raise Unkept

    def call(
        self,
        shown: str,
        function: Callable[..., Any],
        *arguments: Any,
        advice: str = "mend that",
        lets: tuple[type[Exception], ...] = (),
    ) -> Any:
        """Calls a method of the part; where that fails, the promise is broken and the section ends.

        Args:
            shown: The call as the user would write it.
            function: What is called.
            *arguments: What it is given.
            advice: What to do about an error.
            lets: Errors that break no promise; they end the section all the same.
        """
        try:
            result = function(*arguments)
        except Unkept:
            raise
        except lets:
            raise Unkept from None
        except Exception as error:
            self.broken(f"{shown} raised {type(error).__name__}: {_said(error)}: {advice}")
            raise Unkept from None
        if inspect.isawaitable(result):
            if inspect.iscoroutine(result):
                result.close()
            self.broken(f"{shown} returned an awaitable: {PLAIN}")
            raise Unkept
        return result

    @contextmanager
    def section(self) -> Iterator[None]:
        """Lets the check go on behind a section that a broken promise ended."""
        with suppress(Unkept):
            yield

    def check_plain(self, part: object, names: Sequence[str]) -> None:
        """Ends the check where methods are async, since nothing that they return can be used."""
        methods = {name: inspect.getattr_static(type(part), name, None) for name in names}
        found = [name for name, method in methods.items() if _is_async(method)]
        plain = [name for name, method in methods.items() if method and name not in found]
        if found and plain:
            self.broken(f"async: {listed(found)}; not async: {listed(plain)}: {PLAIN}")
        elif found:
            self.broken(f"async: {listed(found)}, which is not supported yet: {PLAIN}")
        if found:
            self.settle()

    def check_whole(self, part: object, capability: type, alone: frozenset[str]) -> None:
        """Notes a capability of which a part has only some members.

        Args:
            part: The part.
            capability: The Protocol.
            alone: Members that mean nothing on their own.
        """
        # Protocols can tell that a capability is there, but not that half of it is.
        members = {*vars(capability), *inspect.get_annotations(capability)}
        names = sorted(name for name in members if not name.startswith("_"))
        has = [name for name in names if hasattr(part, name)]
        lacks = [name for name in names if name not in has]
        if lacks and set(has) - alone:
            self.broken(
                f"it has {listed(has)} but not {listed(lacks)}: {capability.__name__} takes both, "
                f"so add {listed(lacks)}, or rename {listed(has)}"
            )
        for name in has:
            if inspect.isfunction(vars(capability).get(name)) and not callable(getattr(part, name)):
                self.broken(f"{name} is {short(getattr(part, name))}: make it a method")

    def check_id(self, shown: str, found: Any, seen: set[Any]) -> bool:
        """Notes an id that cannot be used, or was given before; else adds it to ``seen``."""
        if found is None:
            return self.keep(False, f"{shown} gave None as an id: return an int or a str")
        if not is_hashable(found):
            line = f"{shown} gave the id {short(found)}, which cannot be the key of a dict"
            return self.keep(False, f"{line}: return an int, a str or a tuple of these")
        if found in seen:
            line = f"{shown} gave the id {short(found)} twice"
            return self.keep(False, f"{line}: give each an id of its own, such as a counter")
        seen.add(found)
        return True

    def check_post(self, shown: str, found: Any) -> bool:
        """Notes what is no usable post."""
        if not isinstance(found, PostData):
            line = f"{shown} gave {short(found)} as a post"
            return self.keep(False, f"{line}: give a PostData(x)")
        wrong = found.x is None or isinstance(found.x, PostData)
        line = f"{shown} gave {short(found)}: x must be the content of the post"
        return self.keep(not wrong, f"{line}, so give PostData(content)")

    def copy(self, part: Any) -> Any:
        """Returns a deep copy of a part, or ends the section."""
        advice = "give it a __deepcopy__, or keep what cannot be copied outside of it"
        return self.call(f"copy.deepcopy({self.name})", deepcopy, part, advice=advice)

    def settle(self) -> None:
        """Ends the check.

        Raises:
            AssertionError: A promise is broken.
        """
        if self._broken:
            count = len(self._broken)
            promises = f"{count} promise{'s' if count > 1 else ''}"
            lines = "".join(f"\n- {line}" for line in self._broken)
            raise AssertionError(f"{self.name} breaks {promises} of {self.kind}:{lines}")


def _is_async(method: Any) -> bool:
    method = getattr(method, "__func__", method)  # of a class method or a static one
    return inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)


def _said(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= 200 else f"{text[:197]}..."


def listed(names: Sequence[str]) -> str:
    """Joins names: ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
