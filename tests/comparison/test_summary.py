import json
from dataclasses import replace
from io import StringIO

import gymnasium as gym
import numpy as np
import pytest
from rich.console import Console

from kilroy_gym import FaceVectorEnv, KilroyFace, PostData
from kilroy_gym.adapters import Round
from kilroy_gym.codecs import BinaryCodec
from kilroy_gym.comparison.measures import MEASURES, Measure
from kilroy_gym.comparison.plan import Plan
from kilroy_gym.comparison.play import play
from kilroy_gym.comparison.report import report
from kilroy_gym.comparison.results import Recorder, RunResult
from kilroy_gym.comparison.runner import result_file
from kilroy_gym.comparison.summary import summarize
from kilroy_gym.comparison.table import sentences, show
from kilroy_gym.comparison.uniform import uniform_levels
from kilroy_gym.comparison.write import write_all


class UnknownTaste(KilroyFace):
    """Likes True by half, and tells nobody."""

    def __init__(self):
        self.posts = []

    def restart(self, rng):
        self.rng = rng
        self.posts = []

    def scrap(self, limit=None):
        return ((number, PostData(number % 2 == 0)) for number in range(limit or 10))

    def post(self, data):
        self.posts.append(data.x)
        return len(self.posts) - 1

    def score(self, post_id):
        return float(self.posts[post_id]) + 0.1 * self.rng.normal()


class UnknownTruthEnv(FaceVectorEnv):
    def __init__(self, num_envs, with_codec=True):
        super().__init__(UnknownTaste(), num_envs, BinaryCodec() if with_codec else None)


@pytest.fixture
def unknown_truth():
    gym.register("Unknown-v0", vector_entry_point=UnknownTruthEnv)
    gym.register("Codecless-v0", vector_entry_point=UnknownTruthEnv, kwargs={"with_codec": False})
    yield
    del gym.registry["Unknown-v0"], gym.registry["Codecless-v0"]


def played(directory, env_id, *agents, **settings):
    """Plays a comparison in this process, so that it knows environments of the test."""
    plan = Plan.checked(env_id, agents, **settings)
    plan.directory(directory)
    for run in plan.runs:
        play(plan, run).save(result_file(directory, run.name))
    return summarize(plan, directory)


def made_up(directory, levels, seeds, posts=200):
    """A comparison whose runs have the expected scores that ``levels`` gives by agent and seed."""
    plan = Plan.checked(
        "Kilroy-Bernoulli-v0", list(levels), seeds=seeds, posts=posts, warm_start="no"
    )
    plan.directory(directory)
    for run in plan.runs:
        level = np.full(posts, levels[run.agent.given](run.seed))
        RunResult(level, level, np.ones(posts), 1.0, "10").save(result_file(directory, run.name))
    return summarize(plan, directory)


def test_without_truth_there_is_no_regret_and_the_best_is_the_best_that_was_seen(
    tmp_path, agent_file, unknown_truth
):
    own = agent_file("own")
    summary = played(tmp_path / "out", "Unknown-v0", own, "uniform", seeds=3, posts=200)
    assert summary.ranked_by == "mean_score"
    assert summary.rows[0].label.startswith("own")
    assert summary.best_score == pytest.approx(1.0, abs=0.05)
    assert summary.uniform_score == pytest.approx(0.5, abs=0.05)
    content = summary.as_json()
    for row in content["agents"]:
        assert row["regret"] is None
        assert row["reached"] == (3 if row["agent"] == "own" else 0)
    json.dumps(content, allow_nan=False)


def test_without_truth_the_files_and_the_report_are_complete(tmp_path, agent_file, unknown_truth):
    out = tmp_path / "out"
    summary = played(out, "Unknown-v0", agent_file("own"), "uniform", seeds=2, posts=120)
    names = write_all(summary, out)
    assert sorted(names) == ["learning_curves.png", "report.html", "results.csv", "summary.json"]
    last = (out / "results.csv").read_text().splitlines()[-1]
    assert last.startswith("uniform,true,1,120,")
    assert last.endswith(",,")


def test_without_a_codec_nobody_knows_who_arrived(tmp_path, agent_file, unknown_truth):
    own = agent_file("own")
    summary = played(tmp_path / "out", "Codecless-v0", own, seeds=2, posts=120, warm_start="no")
    assert uniform_levels("Codecless-v0", 0, 120) is None
    (row,) = summary.as_json()["agents"]
    assert (row["posts_to_95"], row["reached"], row["regret"]) == (None, None, None)


def test_scores_that_come_late_find_their_post():
    recorder = Recorder(budget=5)
    recorder(Round(1, ["a", "b", "c"], [None] * 3, [1.0, None, None]))
    recorder(Round(2, ["d"], [None], [4.0], arrived={"c": 3.0}))
    with pytest.raises(RuntimeError, match="the scores of 1 posts never came"):
        recorder.result(0.0, "")
    recorder(Round(3, [], [], [], arrived={"b": 2.0}))
    assert recorder.result(0.0, "").scores.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_an_agent_that_tells_of_no_post_is_told_so():
    with pytest.raises(RuntimeError, match="must call its callback"):
        Recorder(budget=5).result(0.0, "")


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_equal_agents_are_within_noise_and_a_single_seed_leaves_it_open(tmp_path, seeds):
    summary = made_up(
        tmp_path, {"module": lambda seed: 0.5 + seed / 10, "uniform": lambda seed: 0.5 + seed / 10},
        seeds,
    )  # fmt: skip
    (verdict,) = summary.verdicts
    assert (verdict.difference.iqm, verdict.difference.high) == (0.0, 0.0)
    assert verdict.within_noise is (True if seeds > 1 else None)
    json.dumps(summary.as_json(), allow_nan=False)


def test_a_difference_within_noise_is_told_from_one_beyond(tmp_path, agent_file):
    levels = {
        "module": lambda seed: 0.9 + 0.01 * seed,
        "uniform": lambda seed: 0.9 + 0.01 * ((seed * 3 + 1) % 5),  # the same, other seeds
        agent_file("own"): lambda seed: 0.2 + 0.01 * seed,
    }
    summary = made_up(tmp_path / "out", levels, seeds=5)
    words = {verdict.row.agent: verdict.within_noise for verdict in summary.verdicts}
    assert words.pop("own") is False
    assert list(words.values()) == [True]
    said = " ".join(sentences(summary))
    assert said.count("within noise") == said.count("beyond noise") == 1


def test_the_leader_is_the_one_with_the_least_regret(tmp_path):
    summary = made_up(tmp_path, {"module": lambda seed: 0.2, "uniform": lambda seed: 0.8}, 3)
    assert [row.agent for row in summary.rows] == ["uniform", "module"]
    assert summary.rows[0].estimates["regret"].iqm == pytest.approx(40.0)
    assert "uniform, cold has the least regret: 40.0 [40.0, 40.0]." in sentences(summary)
    assert summary.as_json()["leader"] == "uniform, cold"


WORST_POST = Measure(
    name="worst_post",
    title="worst <post>",
    meaning="The lowest score & the last.",
    formula=lambda run: float(run.result.scores.min()),
    higher_is_better=True,
    rank=0,
    decimals=2,
)
BEGAN_WELL = Measure(
    name="began_well",
    title="began well",
    meaning="How many began above half.",
    formula=lambda run: run.result.scores[0] > 0.5,
    counted=True,
)


def test_a_measure_that_is_handed_in_is_ranked_by_and_shown_everywhere(tmp_path):
    levels = {"module": lambda seed: 0.4 + seed / 10, "uniform": lambda seed: 0.2 + seed / 10}
    plan = made_up(tmp_path, levels, seeds=3).plan
    summary = summarize(plan, tmp_path, measures=[*MEASURES, WORST_POST, BEGAN_WELL])
    assert (summary.ranked_by, summary.rows[0].agent) == ("worst_post", "module")
    write_all(summary, tmp_path)
    content = json.loads((tmp_path / "summary.json").read_text())
    module, uniform = content["agents"]
    assert module["worst_post"] == pytest.approx({"iqm": 0.5, "low": 0.4, "high": 0.6})
    assert (module["began_well"], uniform["began_well"]) == (1, 0)
    assert module["mean_score"] == pytest.approx(module["worst_post"])
    assert content["differences_to_leader"][0]["difference"]["iqm"] == pytest.approx(-0.2)
    page = (tmp_path / "report.html").read_text()
    for html in (
        "<th>worst &lt;post&gt;</th><th>began well</th>",
        "<td>0.50<small>[0.40, 0.60]</small></td><td>1/3</td>",
        "<dd>The lowest score &amp; the last. Higher is better.</dd>",
        "Rows are ranked by worst &lt;post&gt;.",
        "module, cold has the highest worst &lt;post&gt;: 0.50 [0.40, 0.60].",
    ):
        assert html in page
    console = Console(width=200, file=StringIO())
    show(summary, console)
    head, _, row = console.file.getvalue().splitlines()[1:4]
    assert head.split("  ")[-1].strip() == "round"
    assert "worst <post>   began well" in head
    assert "0.50 [0.40, 0.60]" in row


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_any_number_of_measures_fits_any_terminal(tmp_path, width):
    plan = made_up(tmp_path, {"module": lambda seed: 0.4 + seed / 10}, seeds=3).plan
    summary = summarize(plan, tmp_path, measures=[*MEASURES, WORST_POST, BEGAN_WELL])
    console = Console(width=width, file=StringIO())
    show(summary, console)
    shown = console.file.getvalue()
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown
    for measure in summary.measures:
        assert shown.count(f" {measure.title} ") == 1


@pytest.mark.parametrize("fault", [{"higher_is_better": None}, {"counted": True}])
def test_a_measure_without_better_and_worse_cannot_rank(fault):
    with pytest.raises(ValueError, match="'worst_post' has rank 0, so it must say"):
        replace(WORST_POST, **fault)


def test_measures_that_cannot_rank_are_refused_by_name(tmp_path):
    plan = made_up(tmp_path, {"module": lambda seed: 0.4}, seeds=1).plan
    with pytest.raises(ValueError, match=r"none of the measures \['began_well'\] can rank"):
        summarize(plan, tmp_path, measures=[BEGAN_WELL])


def test_an_agent_whose_name_is_a_formula_is_written_as_text(tmp_path, agent_file):
    own = agent_file("=HYPERLINK(1)")
    summary = made_up(tmp_path / "out", {own: lambda seed: -0.5}, seeds=1, posts=100)
    write_all(summary, tmp_path / "out")
    _, row, *_ = (tmp_path / "out" / "results.csv").read_text().splitlines()
    assert row == "'=HYPERLINK(1),false,0,1,-0.5,-0.5,1.0"


def test_a_run_that_made_fewer_posts_is_told(tmp_path):
    plan = Plan.checked("Kilroy-Bernoulli-v0", ["module"], seeds=1, posts=200, warm_start="no")
    plan.directory(tmp_path)
    ones = np.ones(160)
    RunResult(ones, ones, ones, 1.0, "10x4").save(result_file(tmp_path, plan.runs[0].name))
    summary = summarize(plan, tmp_path)
    assert "module, cold made 160 of 200 posts." in sentences(summary)
    assert "10x4" in report(summary, "<svg/>")
