import gymnasium as gym
import pytest
from parts import WallFace

from kilroy_gym import FaceEnv, module_for
from kilroy_gym.adapters import Agent, load_agent_file, roster
from kilroy_gym.modules import BernoulliModule

ENV = "Kilroy-Bernoulli-v0"

OWN = """
from kilroy_gym import ModuleAgent
from kilroy_gym.modules import BernoulliModule

def make_agent(env, seed):
    return ModuleAgent(BernoulliModule(p=0.25, seed=seed), env)
"""


@pytest.mark.parametrize("name", ["module", "uniform"])
def test_every_name_of_the_roster_gives_an_agent(name):
    env = gym.make_vec(ENV, num_envs=4)
    agent = load_agent_file(name)(env, 0)
    assert isinstance(agent, Agent)
    assert agent.learn(8).update_rate == 4


def test_no_roster_file_bears_the_name_of_a_standard_library():
    import sys

    assert not set(roster()) & set(sys.stdlib_module_names)


def test_a_file_of_ones_own_is_the_same_kind_of_thing(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    assert load_agent_file(path)(gym.make(ENV), 0).module.p == 0.25


def test_two_files_with_the_same_name_do_not_mix(tmp_path):
    paths = [tmp_path / folder / "mine.py" for folder in "ab"]
    for path, p in zip(paths, ("0.25", "0.75"), strict=True):
        path.parent.mkdir()
        path.write_text(OWN.replace("0.25", p))
    made = [load_agent_file(path)(gym.make(ENV), 0).module.p for path in paths]
    assert made == [0.25, 0.75]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("modul", r"no agent 'modul'.*Did you mean 'module'\?"),
        ("nothing-like-it", "the roster has .*uniform.*; give a file of your own by its path"),
        ("missing.py", "there is no agent file missing.py"),
    ],
)
def test_an_unknown_agent_is_refused_with_the_nearest(name, message):
    with pytest.raises(ValueError, match=message):
        load_agent_file(name)


def test_a_file_without_make_agent_is_told_what_is_missing(tmp_path):
    path = tmp_path / "empty.py"
    path.write_text("make_agent = 3")
    with pytest.raises(ValueError, match=r"empty.py defines no function make_agent\(env, seed\)"):
        load_agent_file(path)


def test_every_environment_has_a_module_of_its_own():
    module = module_for(gym.make_vec(ENV, num_envs=2), seed=1)
    assert isinstance(module, BernoulliModule)
    assert module.generate() == module_for(gym.make(ENV), seed=1).generate()


def test_an_environment_without_a_module_is_named():
    with pytest.raises(TypeError, match=r"CartPole-v1.*is not a Kilroy environment"):
        module_for(gym.make("CartPole-v1"))
    with pytest.raises(ValueError, match=r"no module is known for WallFace.*module = "):
        module_for(FaceEnv(WallFace()))
