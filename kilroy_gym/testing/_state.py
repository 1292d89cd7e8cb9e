"""What the state of a module promises."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from kilroy_gym._seeding import seed_everything
from kilroy_gym.codecs.base import short
from kilroy_gym.modules import KilroyModule
from kilroy_gym.modules.base import AnyModule
from kilroy_gym.post import AnyPost
from kilroy_gym.storage.packing import pack, unpack
from kilroy_gym.testing._promises import Promises
from kilroy_gym.testing._values import equal
from kilroy_gym.testing._writing import Draft, Writer

MakeWriter = Callable[..., Writer]
"""Takes a module, by default the one that is checked, and what to add to the lines."""
DRAFTS, MANY = 4, 12


def check_state(promises: Promises, writer: MakeWriter, posts: Sequence[AnyPost]) -> None:
    """Checks ``state`` and ``set_state``, where the module has them."""
    worker = trained(writer, posts)
    halves = [_overrides(worker.module, name) for name in ("state", "set_state")]
    if not any(halves):
        return
    line = "it has only one of state() and set_state(state): add the other"
    promises.need(all(halves), line)
    at_state, waiting = writer(worker.module).module, dict(worker.open)
    state = promises.call("state()", worker.module.state)
    promises.need(isinstance(state, dict), f"state() returned {short(state)}: return a dict")
    text = _packed(promises, "state()", state)
    _go_on(worker, waiting)
    if posts:
        worker.mimic(posts)
    line = "what state() returned changed when the module went on: return copies of its arrays,"
    promises.keep(_packed(promises, "state()", state) == text, f"{line} lists and dicts")
    _check_twin(promises, writer, at_state, waiting, text)


def trained(writer: MakeWriter, posts: Sequence[AnyPost]) -> Writer:
    """Returns a copy of the module that has learned and has drafts without scores."""
    worker = writer()
    if posts:
        worker.mimic(posts)
    (one, _), (other, _), *_ = worker.write(DRAFTS)
    worker.reinforce({one: 1.0, other: 0.0})
    return worker


def _check_twin(
    promises: Promises,
    writer: MakeWriter,
    at_state: AnyModule,
    waiting: dict[Any, AnyPost],
    text: str,
) -> None:
    """Lets another module go on from a state that was written and read."""
    state = unpack(json.loads(text))
    twin = writer(when=" after set_state(state)")
    advice = "go on from what state() returned, as it comes back from a file"
    promises.call("set_state(state)", twin.module.set_state, state, advice=advice)
    one, again = (_go_on(writer(at_state), waiting) for _ in range(2))
    other = _go_on(twin, waiting)
    line = "set_state(state) kept parts of the state, which changed when the module went on"
    kept = _packed(promises, "set_state(state)", state) == text
    promises.keep(kept, f"{line}: take copies of its arrays, lists and dicts")
    # Only what repeats at all can be compared: ids may be random, and so may what is written.
    if equal(contents(one), contents(again)):
        number = next(
            (n for n, pair in enumerate(zip(contents(one), contents(other), strict=True))
             if not equal(*pair)), None,
        )  # fmt: skip
        line = f"a module that goes on from the state wrote another draft {number}"
        advice = "state() must hold all that the next drafts depend on: what was learned, the open"
        promises.keep(number is None, f"{line}: {advice} drafts and the random stream")
    if equal(_ids(one), _ids(again)) and not equal(_ids(one), _ids(other)):
        line = f"a module that goes on from the state gave draft ids {short(_ids(other))}"
        promises.broken(f"{line} where the first gives {short(_ids(one))}: keep the next id, too")


def _go_on(writer: Writer, waiting: dict[Any, AnyPost]) -> list[Draft]:
    """Writes, learns from the drafts that wait for scores, and writes again."""
    seed_everything(0)
    writer.open = dict(waiting)
    drafts = writer.write(MANY)
    scores = dict.fromkeys(waiting, 1.0)
    writer.reinforce(scores, "drafts that wait for their scores are a part of the state")
    return drafts + writer.write(MANY)


def contents(drafts: Sequence[Draft]) -> list[Any]:
    """Returns what was written."""
    return [post.x for _, post in drafts]


def _ids(drafts: Sequence[Draft]) -> list[Any]:
    return [draft_id for draft_id, _ in drafts]


def _overrides(module: AnyModule, name: str) -> bool:
    return getattr(type(module), name) is not getattr(KilroyModule, name)


def _packed(promises: Promises, shown: str, state: Any) -> str:
    advice = "hold in it only what a file can: JSON values, bytes and numpy arrays"
    packed: str = promises.call(shown, lambda: json.dumps(pack(state)), advice=advice)
    return packed
