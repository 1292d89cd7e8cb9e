import gymnasium as gym
import pytest

import kilroy_gym
from kilroy_gym.comparison.plan import Plan

ENV = "Kilroy-Bernoulli-v0"


def plan(*agents, **settings):
    return Plan.checked(ENV, agents or ["module", "uniform"], **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seeds": 0}, "seeds must be at least 1, got 0"),
        ({"update_rate": 0}, "round must be at least 1, got 0"),
        ({"posts": 9}, "a round makes 10 posts, so 9 posts allow none"),
        ({"warm_start": "maybe"}, "warm_start must be one of"),
    ],
)
def test_numbers_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        plan(**settings)


def test_an_unknown_agent_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'module'"):
        plan("uniform", "modul")


def test_an_unknown_environment_is_refused_with_the_nearest():
    with pytest.raises(gym.error.NameNotFound, match="Did you mean: `Kilroy-Bernoulli`"):
        Plan.checked("Kilroy-Bernouli-v0", ["module"])


def test_an_environment_of_another_kind_is_refused():
    with pytest.raises((TypeError, ValueError), match=r"SAME_STEP|not a Kilroy environment"):
        Plan.checked("CartPole-v1", ["module"])


def test_a_live_face_is_refused():
    entry = "kilroy_gym.envs.suite:SimulatedVectorEnv"
    kwargs = {"audience": "BernoulliAudience"}
    gym.register("Live-v0", vector_entry_point=entry, nondeterministic=True, kwargs=kwargs)
    try:
        with pytest.raises(ValueError, match="Live-v0 posts to a live Face"):
            Plan.checked("Live-v0", ["module"])
    finally:
        del gym.registry["Live-v0"]


def test_an_environment_without_its_version_is_the_latest():
    with pytest.warns(UserWarning, match="Using the latest versioned environment"):
        plan = Plan.checked("kilroy_gym:Kilroy-Bernoulli", ["module"])
    assert plan.env_id == "kilroy_gym:Kilroy-Bernoulli-v0"


def test_no_agent_is_refused():
    with pytest.raises(ValueError, match="give at least one agent"):
        Plan.checked(ENV, [])


def test_an_agent_given_twice_is_refused(agent_file):
    own = agent_file("own")
    for twice in (["module", "module"], [own, own]):
        with pytest.raises(ValueError, match="is given twice"):
            plan(*twice)


def test_two_agents_of_the_same_name_are_refused(agent_file):
    with pytest.raises(ValueError, match="two agents would be called 'own'"):
        plan(agent_file("here/own"), agent_file("there/own"))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1", r"defines no function make_agent"),
        ("def make_agent(:", r"cannot be loaded: SyntaxError"),
        ("import no_such_package", r"cannot be loaded: ModuleNotFoundError: No module named"),
    ],
)
def test_a_file_that_gives_no_agent_is_refused(agent_file, source, message):
    with pytest.raises(ValueError, match=message):
        plan(agent_file("own", source=source))


def test_there_is_a_run_for_every_agent_warm_start_and_seed():
    names = [run.name for run in plan(seeds=2).runs]
    assert names == [
        f"{agent}-{start}-{seed}"
        for seed in (0, 1)
        for agent in ("module", "uniform")
        for start in ("cold", "warm")
    ]
    assert [run.warm_start for run in plan(seeds=1, warm_start="yes").runs] == [True, True]


def test_a_comparison_finds_its_own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = plan().directory(None)
    assert first.parent.name == "runs"
    assert first.name.startswith(f"compare-{ENV}-")
    assert plan().directory(None) == first
    assert plan(seeds=6).directory(None) != first


def test_a_directory_that_was_given_can_be_gone_on_in(tmp_path):
    out = tmp_path / "new" / "out"
    assert plan().directory(out) == out
    assert plan().directory(out) == out


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        ({"posts": 500}, "posts 1000 there, 500 here"),
        ({"seeds": 6}, "seeds 5 there, 6 here"),
        ({"update_rate": 5}, "round 10 there, 5 here"),
        ({"warm_start": "no"}, "warm_start both there, no here"),
    ],
)
def test_other_settings_are_refused_by_name(tmp_path, settings, difference):
    plan().directory(tmp_path)
    with pytest.raises(ValueError, match=difference):
        plan(**settings).directory(tmp_path)


def test_other_agents_and_another_version_are_refused_by_name(tmp_path, monkeypatch):
    plan().directory(tmp_path)
    with pytest.raises(ValueError, match="agent uniform is only there"):
        plan("module").directory(tmp_path)
    monkeypatch.setattr(kilroy_gym, "__version__", "99.0")
    with pytest.raises(ValueError, match=r"kilroy_gym .* there, 99\.0 here"):
        plan().directory(tmp_path)


def test_a_changed_agent_file_is_refused_but_a_moved_one_is_not(tmp_path, agent_file):
    out = tmp_path / "out"
    plan(agent_file("own")).directory(out)
    plan(agent_file("elsewhere/own")).directory(out)
    with pytest.raises(ValueError, match="the file of agent own has changed"):
        plan(agent_file("own", "print()")).directory(out)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", "theirs"),
        ("settings.json", '{"theirs": 1}'),
        ("settings.json", ""),
        ("settings.json", "[" * 100_000),
    ],
)
def test_a_directory_that_holds_something_else_is_refused(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match="give --out a new directory"):
        plan().directory(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_command_repeats_the_comparison(agent_file):
    own = agent_file("my own")
    command = plan("module", own, seeds=2, posts=50, update_rate=5, warm_start="no").command()
    assert command == (
        f"kilroy-gym compare {ENV} module '{own}' --seeds 2 --posts 50 --round 5 --warm-start no"
    )
