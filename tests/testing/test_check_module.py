"""What `check_module` finds."""

import random
import threading
import uuid

import gymnasium as gym
import numpy as np
import pytest
from broken import one_promise_broken, promises_broken
from test_learning_modules import MAKERS, MONDAY_NOON, every_module

from kilroy_gym import KilroyModule, PostData, module_for
from kilroy_gym.adapters import load_agent_file, roster
from kilroy_gym.adapters.own_modules import time_features
from kilroy_gym.modules import BernoulliModule, ContextualModule, ThompsonModule
from kilroy_gym.testing import check_module

POSTS = [PostData(x) for x in ("cat", "dog", "cat", "duck")]


class Animals(KilroyModule):
    """Keeps every promise: learns weights, and goes on from its state."""

    def __init__(self):
        self.weights = {"cat": 1.0, "dog": 1.0, "duck": 1.0}
        self.drafts = {}
        self.next_id = 0
        self.rng = np.random.default_rng(0)

    def generate(self):
        shares = np.array(list(self.weights.values()))
        x = str(self.rng.choice(list(self.weights), p=shares / shares.sum()))
        draft_id, self.next_id = self.next_id, self.next_id + 1
        self.drafts[draft_id] = x
        return draft_id, PostData(x)

    def mimic(self, posts):
        for post in posts:
            self.weights[post.x] += 1
        return self

    def reinforce(self, scores):
        for draft_id, score in scores.items():
            self.weights[self.drafts.pop(draft_id)] *= 1.1**score
        return self

    def forget(self, draft_ids):
        for draft_id in draft_ids:
            self.drafts.pop(draft_id, None)

    def state(self):
        return {
            "weights": dict(self.weights),
            "drafts": list(self.drafts.items()),
            "next_id": self.next_id,
            "rng": self.rng.bit_generator.state,
        }

    def set_state(self, state):
        self.weights = dict(state["weights"])
        self.drafts = dict(state["drafts"])
        self.next_id = state["next_id"]
        self.rng.bit_generator.state = state["rng"]


def without(name):
    """Returns a state and a set_state that leave out one thing."""

    def state(self):
        return {key: value for key, value in Animals.state(self).items() if key != name}

    def set_state(self, state):
        Animals.set_state(self, {**Animals.state(self), **state})

    return {"state": state, "set_state": set_state}


# --- what is right ------------------------------------------------------------------------


def test_a_module_that_keeps_its_promises_passes_and_stays_as_it_is():
    module = Animals()
    assert check_module(module) is None
    assert check_module(module, POSTS) is None
    assert module.state() == Animals().state()


@every_module
def test_every_module_that_ships_keeps_its_promises(make):
    written = make(9).generate_many(20, [MONDAY_NOON] * 20)
    posts = [PostData(post.x, MONDAY_NOON) for _, post in written]
    check_module(make(0), posts)


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "contextual"])
def test_without_posts_a_module_mimics_itself(name):
    check_module(MAKERS[name](0))


def test_the_notebooks_module_keeps_its_promises():
    check_module(BernoulliModule(seed=0), [PostData(True), PostData(False)])


@pytest.mark.parametrize("name", ["uniform", "thompson", "module"])
def test_the_modules_of_the_roster_keep_their_promises(name):
    env = gym.make("Kilroy-Topics-v0")
    agent = load_agent_file(roster()[name])(env, 0)
    check_module(getattr(agent, "module", agent), [p for _, p in env.unwrapped.scrap(10)])


def test_three_methods_are_enough():
    class Three(KilroyModule):
        drafts = 0

        def generate(self):
            self.drafts += 1
            return self.drafts, PostData(random.random())

        def mimic(self, posts):
            return self

        def reinforce(self, scores):
            return self

    check_module(Three())


def test_what_writes_at_random_is_not_compared():
    class Random(Animals):
        def generate(self):
            draft_id = str(uuid.uuid4())
            self.drafts[draft_id] = random.SystemRandom().choice(list(self.weights))
            return draft_id, PostData(self.drafts[draft_id])

    check_module(Random())


def test_a_new_module_may_be_returned_each_time():
    class Fresh(Animals):
        def mimic(self, posts):
            twin = Fresh()
            twin.set_state(self.state())
            return super(Fresh, twin).mimic(posts)

    check_module(Fresh(), POSTS)


def test_the_global_random_streams_are_put_back():
    class Global(Animals):
        def generate(self):
            random.random()
            np.random.random()  # noqa: NPY002
            return super().generate()

    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    check_module(Global())
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002


def test_observations_come_from_the_posts():
    module = ContextualModule(["a", "b"], time_features, seed=0)
    with pytest.raises(ValueError, match=r"give some by posts=\[PostData\(x, context\)\]"):
        check_module(module)
    with pytest.raises(ValueError, match="ContextualModule uses observations"):
        check_module(module, [PostData("a")])


# --- what is broken -----------------------------------------------------------------------


class Shared(Animals):
    """Has its weights on the class."""

    common = {"cat": 1.0, "dog": 1.0, "duck": 1.0}  # noqa: RUF012 - the mistake

    def __init__(self):
        super().__init__()
        self.weights = self.common

    def __deepcopy__(self, memo):
        twin = Shared()
        twin.drafts, twin.next_id = dict(self.drafts), self.next_id
        twin.rng.bit_generator.state = self.rng.bit_generator.state
        return twin


async def nothing(self, posts):
    return self


def popping(self, scores):
    result = Animals.reinforce(self, scores)
    scores.clear()
    return result


def lowering(self, posts):
    result = Animals.mimic(self, posts)
    for post in posts:
        post.x = post.x.upper()
    return result


def vectors(self):
    if not hasattr(self, "vector"):
        self.vector = np.zeros(2)
    self.vector += 1
    self.next_id += 1
    self.drafts[self.next_id] = "cat"
    return self.next_id, PostData(self.vector)


def same_number(self):
    self.drafts[7] = "cat"
    return 7, PostData("cat")


def of_the_content(self):
    draft_id, post = Animals.generate(self)
    self.drafts[post.x] = self.drafts.pop(draft_id)
    return post.x, post


def numbering(number):
    def generate(self):
        draft_id, _ = Animals.generate(self)
        return draft_id, PostData(number)

    return generate


def two_lists(self, count, observations=None):
    drafts = [self.generate() for _ in range(count)]
    return [draft_id for draft_id, _ in drafts], [post for _, post in drafts]


def aliased(self):
    return {**Animals.state(self), "weights": self.weights}


def taking(self, state):
    Animals.set_state(self, state)
    self.weights = state["weights"]


GENERATE = {
    "a post alone": (lambda self: PostData("cat"), "return (draft id, PostData(x))"),
    "nothing": (lambda self: None, "generate() gave None"),
    "a content": (lambda self: (1, "cat"), "gave 'cat' as a post: give a PostData(x)"),
    "the wrong way round": (lambda self: (PostData("cat"), 1), "gave a post as id: the wrong way"),
    "no id": (lambda self: (None, PostData("cat")), "gave None as an id"),
    "a list as id": (lambda self: ([1], PostData("cat")), "[1], which cannot be the key of a dict"),
    "one id": (same_number, "gave the id 7 twice"),
    "the content as id": (of_the_content, "twice: give each an id of its own"),
    "NaN": (numbering(float("nan")), "a number that is written must be finite"),
    "infinite": (numbering(np.array([0.0, np.inf])), "a number that is written must be finite"),
    "its own array": (vectors, "give a copy of what you go on with"),
    "takes an observation": (lambda self, seen: (1, PostData(1)), "set uses_observation = True"),
    "async": (nothing, "async: generate; not async: generate_many"),
}


@pytest.mark.parametrize(("generate", "line"), GENERATE.values(), ids=GENERATE)
def test_of_generate_it_names(generate, line):
    module = type("Broken", (Animals,), {"generate": generate})()
    lines = promises_broken(check_module, module, POSTS)
    assert line in lines[0]


OTHERS = {
    "mimic returns nothing": (
        {"mimic": lambda self, posts: None},
        "mimic of 1 post returned None: return self, or a new module",
    ),
    "reinforce returns nothing": (
        {"reinforce": lambda self, scores: None},
        "returned None: return self, or a new module",
    ),
    "reinforce wants every draft": (
        {"reinforce": lambda self, scores: self if len(scores) == len(self.drafts) else 1 / 0},
        "take the scores of any drafts that have none yet",
    ),
    "reinforce empties the scores": ({"reinforce": popping}, "changed the scores that it was"),
    "mimic changes the posts": ({"mimic": lowering}, "changed the posts that it was given"),
    "mimic of exactly one": (
        {"mimic": lambda self, posts: self if len(posts) == 1 else 1 / 0},
        "mimic of 4 posts raised ZeroDivisionError",
    ),
    "mimic of more than one": (
        {"mimic": lambda self, posts: self if len(posts) > 1 else 1 / 0},
        "mimic of 1 post raised ZeroDivisionError",
    ),
    "a batch without observations": (
        {"generate_many": lambda self, count: [self.generate() for _ in range(count)]},
        "generate_many(6, observations) raised TypeError",
    ),
    "a batch too small": (
        {"generate_many": lambda self, count, seen=None: [self.generate()]},
        "return 6 drafts, each (draft id, PostData(x))",
    ),
    "a batch as iterator": (
        {"generate_many": lambda self, count, seen=None: (self.generate() for _ in range(count))},
        "return 6 drafts, each (draft id, PostData(x))",
    ),
    "a batch in two lists": ({"generate_many": two_lists}, "return 6 drafts, each"),
    "a batch of something else": (
        {"generate_many": lambda self, count, seen=None: [
            (self.generate()[0], PostData("duck")) for _ in range(count)
        ]},
        "where generate writes",
    ),
    "forget of a dict": (
        {"forget": lambda self, draft_ids: self.drafts.pop(draft_ids)},
        "raised TypeError",
    ),
    "metrics of text": ({"metrics": lambda self: {"p": "0.5"}}, "dict of finite numbers by name"),
    "metrics of arrays": ({"metrics": lambda self: {"p": np.ones(2)}}, "dict of finite numbers"),
    "metrics of nothing": ({"metrics": lambda self: None}, "metrics() returned None"),
    "uses_observation in words": ({"uses_observation": "no"}, "True or False"),
    "state without set_state": (
        {"set_state": KilroyModule.set_state},
        "it has only one of state() and set_state(state): add the other",
    ),
    "a state of objects": (
        {"state": lambda self: {"rng": self.rng}},
        "hold in it only what a file can: JSON values, bytes and numpy arrays",
    ),
    "a state with numbers as keys": (
        {"state": lambda self: {**Animals.state(self), "drafts": dict(self.drafts)}},
        "hold in it only what a file can",
    ),
    "a state that is no dict": ({"state": lambda self: [1]}, "state() returned [1]: return a dict"),
    "a state that lives on": ({"state": aliased}, "what state() returned changed when"),
    "set_state keeps its argument": ({"set_state": taking}, "take copies of its arrays, lists"),
    "a state without the random stream": (without("rng"), "wrote another draft"),
    "a state without what was learned": (without("weights"), "wrote another draft"),
    "a state without drafts": (without("drafts"), "drafts that wait for their scores are a part"),
    "a state without the next id": (without("next_id"), "twice"),
}  # fmt: skip


@pytest.mark.parametrize(("members", "line"), OTHERS.values(), ids=OTHERS)
def test_of_other_methods_it_names(members, line):
    module = type("Broken", (Animals,), members)()
    found = one_promise_broken(check_module, module, POSTS)
    assert line in found


def test_what_copies_share_is_named():
    assert "keep all state on self, not on the class" in one_promise_broken(check_module, Shared())


def test_a_draft_must_carry_its_observation():
    class Blind(Animals):
        uses_observation = True

        def generate(self, observation):
            return super().generate()

    posts = [PostData("cat", "noon"), PostData("dog", "night")]
    lines = promises_broken(check_module, Blind(), posts)
    assert "with context None: give it the observation, 'noon'" in lines[0]


def test_a_module_that_must_mimic_first_says_so():
    class Empty(Animals):
        def __init__(self):
            super().__init__()
            self.weights = {}

        def mimic(self, posts):
            for post in posts:
                self.weights.setdefault(post.x, 0.0)
            return super().mimic(posts)

    check_module(Empty(), POSTS)
    assert "give the check posts=[...]" in one_promise_broken(check_module, Empty())


def test_a_module_that_cannot_be_copied_is_not_checked_any_further():
    module = Animals()
    module.lock = threading.Lock()
    line = one_promise_broken(check_module, module)
    assert line.startswith("copy.deepcopy(Animals) raised TypeError")
    assert "give it a __deepcopy__" in line


def test_every_broken_promise_has_a_line_of_its_own():
    members = {"metrics": lambda self: None, "state": aliased, "set_state": taking}
    lines = promises_broken(check_module, type("Broken", (Animals,), members)(), POSTS)
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("module", "line"), [("a", "'a' is not a KilroyModule"), (ThompsonModule, "in an instance")]
)
def test_what_is_no_module_is_named(module, line):
    assert line in one_promise_broken(check_module, module)


def test_the_module_of_an_environment_is_the_one_that_is_checked():
    env = gym.make("Kilroy-Timing-v0")
    check_module(module_for(env, seed=0), [post for _, post in env.unwrapped.scrap(20)])
