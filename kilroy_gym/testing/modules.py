"""What a module promises."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy

from kilroy_gym._seeding import seed_everything, streams_kept
from kilroy_gym.codecs.base import short
from kilroy_gym.modules import KilroyModule
from kilroy_gym.modules.base import AnyModule
from kilroy_gym.post import AnyPost
from kilroy_gym.testing._promises import Promises
from kilroy_gym.testing._state import MakeWriter, check_state, contents, trained
from kilroy_gym.testing._values import equal, given_posts, is_number
from kilroy_gym.testing._writing import Writer

METHODS = (
    "generate", "generate_many", "mimic", "reinforce", "forget", "metrics", "state", "set_state",
)  # fmt: skip
DRAFTS, MANY = 6, 12


def check_module(module: AnyModule, posts: Iterable[AnyPost] | None = None) -> None:
    """Checks that a module keeps what it promises.

    Everything is done to deep copies, so the module that is handed in stays as it is; one that
    cannot be copied is not checked any further, and the message says so. The global random streams
    of Python, numpy and torch are put back afterwards.

    Args:
        module: The module.
        posts: What it can mimic, with contexts where it uses observations. Without them it mimics
            what it writes itself.

    Raises:
        AssertionError: It breaks a promise; the message lists all that are broken.
        TypeError: ``posts`` is something else.
        ValueError: There are no posts in it, or the module uses observations and there are none.
    """
    promises = Promises(module, KilroyModule)
    given = [] if posts is None else given_posts(posts)
    promises.check_plain(module, METHODS)
    uses = module.uses_observation
    if not promises.keep(isinstance(uses, bool), f"uses_observation is {uses!r}: True or False"):
        promises.settle()
    contexts = [post.context for post in given if post.context is not None]
    if uses and not contexts:
        raise ValueError(
            f"{promises.name} uses observations, so give some by posts=[PostData(x, context)]"
        )
    observations = contexts if uses else [0]
    with promises.section(), streams_kept():
        promises.copy(module)

        def make(of: AnyModule = module, when: str = "") -> Writer:
            seed_everything(0)
            return Writer(promises, deepcopy(of), observations, when)

        with promises.section():
            _check_learning(promises, make(), given)
            for check in (_check_batch, _check_copies, check_state):
                with promises.section():
                    check(promises, make, given)
    promises.settle()


def _check_learning(promises: Promises, writer: Writer, given: Sequence[AnyPost]) -> None:
    """Goes once through all that a module can do."""
    posts = list(given)
    if posts:
        writer.mimic(posts[:1])
        writer.mimic(posts)
    drafts = [draft_id for draft_id, _ in writer.write(DRAFTS)]
    if not posts:
        posts = [deepcopy(writer.open[draft_id]) for draft_id in drafts]
        writer.mimic(posts[:1])
        writer.mimic(posts)
    writer.reinforce({drafts[1]: 1.0, drafts[0]: 0.0})
    (later, _), _ = writer.write(2)
    writer.reinforce({later: 1.0, drafts[3]: 2.0})  # a score that comes late
    writer.forget(drafts[4:])
    shown = "metrics()"
    metrics = promises.call(shown, writer.module.metrics, advice="return {name: number}")
    line = f"{shown} returned {short(metrics)}: return a dict of finite numbers by name"
    fits = isinstance(metrics, Mapping) and all(isinstance(name, str) for name in metrics)
    promises.keep(fits and all(map(is_number, metrics.values())), line)
    writer.write(1)
    writer.check_unchanged()


def _check_batch(promises: Promises, make: MakeWriter, given: Sequence[AnyPost]) -> None:
    """Compares a batch with its drafts one by one."""
    ones, again, batch = [
        contents(writer.write_many(DRAFTS) if many else writer.write(DRAFTS))
        for writer, many in ((_started(make, given), many) for many in (False, False, True))
    ]
    if equal(ones, again):  # else it never writes the same twice
        line = f"generate_many wrote {short(batch)} where generate writes {short(ones)}"
        advice = "let it do the same, or leave it out, since KilroyModule has one"
        promises.keep(equal(ones, batch), f"{line}: {advice}")


def _check_copies(promises: Promises, make: MakeWriter, given: Sequence[AnyPost]) -> None:
    """Compares what a copy writes before and after another one has learned."""
    base = _started(make, given).module
    before, again = (contents(make(base).write(MANY)) for _ in range(2))
    for _ in range(MANY):
        trained(lambda: make(base), given)
    after = contents(make(base).write(MANY))
    line = "what one copy learned showed in another: keep all state on self, not on the class"
    promises.keep(not equal(before, again) or equal(before, after), line)


def _started(make: MakeWriter, given: Sequence[AnyPost]) -> Writer:
    writer = make()
    if given:
        writer.mimic(given)
    return writer
