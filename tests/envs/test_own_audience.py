"""An audience of one's own: what it takes is in this file, and it plays like those that ship."""

import json

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.utils.env_checker import data_equivalence as same
from playing import play

from kilroy_gym import KilroyTrainer, module_for
from kilroy_gym.audiences import Audience
from kilroy_gym.codecs import CategoricalCodec, SequenceCodec
from kilroy_gym.comparison.plan import Plan
from kilroy_gym.envs import ComposedEnv, SimulatedEnv, SimulatedVectorEnv
from kilroy_gym.modules import CategoricalModule

ENV = "Mine/Colours-v0"
HERE = f"{__name__}:Colours"


class Colours(Audience):
    """Likes one colour best; with a module of its own."""

    module = f"{__name__}:colour_module"

    def __init__(self, favourite="blue"):
        self.codec = CategoricalCodec(["red", "green", "blue"])
        self.favourite = self.codec.encode(favourite)

    def respond(self, actions, rng):
        expected = (np.asarray(actions) == self.favourite) * 1.0
        return expected + 0.1 * rng.standard_normal(expected.shape), expected, 1.0

    def community(self, count, rng):
        return rng.integers(0, 3, count), None


class Plain(Colours):
    """The same without a module."""

    module = None


def colour_module(codec, seed):
    return CategoricalModule(codec.choices, seed=seed)


@pytest.fixture
def registered():
    gym.register(
        ENV,
        entry_point="kilroy_gym.envs:SimulatedEnv",
        vector_entry_point="kilroy_gym.envs:SimulatedVectorEnv",
        kwargs={"audience": HERE},
    )
    yield ENV
    del gym.registry[ENV]


WAYS = {
    "class": lambda: SimulatedEnv(Colours),
    "audience": lambda: SimulatedEnv(Colours()),
    "name": lambda: SimulatedEnv(HERE),
    "make": lambda: gym.make("Kilroy-Bernoulli-v0", audience=Colours),
    "make by name": lambda: gym.make("Kilroy-Bernoulli-v0", audience=HERE),
    "rounds": lambda: SimulatedVectorEnv(Colours, 4),
    "make_vec": lambda: gym.make_vec("Kilroy-Bernoulli-v0", 4, audience=HERE),
}


@pytest.mark.parametrize("make", WAYS.values(), ids=WAYS)
def test_it_is_given_in_every_way_and_learned_by_its_own_module(make):
    env = make()
    module = module_for(env, seed=0)
    assert isinstance(module, CategoricalModule)
    trainer = KilroyTrainer(env, module, seed=0).fine_tune(epochs=1, progress_bar=False)
    assert trainer.run(posts=400, progress_bar=False).evaluate(100) > 0.8


def test_its_arguments_are_passed_on():
    for env in (
        SimulatedEnv(Colours, favourite="red"),
        SimulatedVectorEnv(HERE, 1, favourite="red"),
    ):
        assert env.face.audience.favourite == 0


def test_it_passes_gymnasiums_checker_when_registered(registered):
    check_env(gym.make(registered).unwrapped)
    spec = gym.make(registered).spec
    json.loads(spec.to_json())
    assert same(play(gym.make(EnvSpec.from_json(spec.to_json()))), play(gym.make(registered)))


def test_it_is_compared_when_registered(registered):
    plan = Plan.checked(registered, ["module", "uniform"], posts=20)
    assert plan.env_id == registered


def test_two_environments_never_share_an_audience():
    audience = Colours()
    one, other = SimulatedEnv(audience), SimulatedEnv(audience)
    assert len({id(each.face.audience) for each in (one, other)} | {id(audience)}) == 3


def test_an_audience_without_a_module_is_named():
    with pytest.raises(
        ValueError, match=r"no module is known for SimulatedFace\(Plain\).*module ="
    ):
        module_for(SimulatedEnv(Plain))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no_such_package:make", "No module named 'no_such_package'"),
        (f"{__name__}:nothing", "nothing"),
        ("colour_module", "package.module:name"),
    ],
)
def test_a_module_that_is_not_found_is_named(name, reason, monkeypatch):
    monkeypatch.setattr(Colours, "module", name)
    with pytest.raises(ValueError, match=rf"SimulatedFace\(Colours\) names the module.*{reason}"):
        module_for(SimulatedEnv(Colours))


def test_what_makes_no_module_is_named(monkeypatch):
    monkeypatch.setattr(Colours, "module", "builtins:min")
    with pytest.raises(TypeError):
        module_for(SimulatedEnv(Colours))
    monkeypatch.setattr(Colours, "module", f"{__name__}:no_module")
    with pytest.raises(TypeError, match="must return a KilroyModule, got 3"):
        module_for(SimulatedEnv(Colours), 3)


def no_module(codec, seed):
    return seed


@pytest.mark.parametrize(
    ("audience", "error", "reason"),
    [
        ("no_such_package:Mine", ValueError, "No module named 'no_such_package'"),
        (f"{__name__}:Nobody", ValueError, "Nobody"),
        (f"{__name__}:colour_module", ValueError, "audience must be one of"),
        (dict, TypeError, "must be an Audience, its class or the name of one"),
        (None, TypeError, "must be an Audience, its class or the name of one"),
    ],
)
def test_what_is_no_audience_is_refused(audience, error, reason):
    with pytest.raises(error, match=reason):
        SimulatedEnv(audience)


def test_arguments_beside_an_audience_that_is_made_already_are_refused():
    with pytest.raises(TypeError, match="favourite given beside a Colours that is made already"):
        SimulatedEnv(Colours(), favourite="red")


class Chains(Colours):
    """Likes posts without a stop; composed of tokens since its codec has them."""

    def __init__(self):
        self.codec = SequenceCodec(vocabulary=4, length=3, start=0, stop=1)

    def respond(self, actions, rng):
        score = (np.asarray(actions) != 1).mean(axis=-1)
        return score, score, 1.0

    def community(self, count, rng):
        return rng.integers(0, 4, (count, 2)), None


def test_one_of_token_sequences_can_be_composed_as_it_is():
    env = ComposedEnv(Chains)
    check_env(env, skip_render_check=True)
    env.reset(seed=0)
    assert env.step(3)[1:3] == (0.0, False)
    assert env.step(2)[1:3] == (1.0, True)
