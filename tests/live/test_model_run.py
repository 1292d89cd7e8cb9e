import random
import signal
from pathlib import Path

import killing
import pytest
from forks import forked
from platform_file import FilePlatform
from stable_baselines3 import A2C, DQN, PPO

from kilroy_gym import FaceError, FaceVectorEnv
from kilroy_gym.adapters.sb3 import SB3Agent
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.faces import StorageError, read_journal
from kilroy_gym.live.base import JOURNAL
from kilroy_gym.live.model_run import LiveModelRun

ANIMALS = ["cat", "dog", "duck"]
SCRIPT = Path(__file__).with_name("model_run_script.py")


def agent_on(face, algorithm=PPO, slots=10, **settings):
    settings = settings or {"n_steps": 2, "batch_size": 20, "learning_rate": 0.01}
    env = FaceVectorEnv(face, slots, CategoricalCodec(ANIMALS))
    return SB3Agent.of(algorithm, env, seed=0, **settings)


def live(tmp_path, face=None, agent=None, **options):
    face = FilePlatform(tmp_path / "platform", delay=0) if face is None else face
    agent = agent_on(face) if agent is None else agent
    return LiveModelRun(face, agent, tmp_path / "run", post_rate=0.0, **options)


def entries(tmp_path):
    return read_journal(tmp_path / "run" / JOURNAL)


class Failing(FilePlatform):
    """Loses the answer to one post."""

    failing = 47

    def post(self, data):
        post_id = super().post(data)
        if post_id == self.failing:
            self.failing = None
            raise ConnectionResetError("after the server had accepted")
        return post_id


def test_a_model_learns_what_people_like(tmp_path):
    run = live(tmp_path)
    run.warm_start()
    run.run(600)
    assert FilePlatform(tmp_path / "platform").contents()[-20:].count("duck") >= 15
    assert run.posts == 600
    assert all(entry.counted and entry.score for entry in entries(tmp_path))


def test_a_run_goes_on_from_its_last_update(tmp_path):
    first = live(tmp_path)
    first.warm_start()
    first.run(100)
    weights = first.agent.model.get_parameters()
    first.close()
    again = live(tmp_path)
    assert (again.started, again.posts, again.agent.updates) == (True, 100, first.agent.updates)
    assert repr(again.agent.model.get_parameters()) == repr(weights)
    again.warm_start()  # not twice
    again.run(100)  # nothing is left to do
    again.run(155)  # a rollout is twenty posts
    assert again.posts == len(FilePlatform(tmp_path / "platform").contents()) == 140
    assert again.agent.model.num_timesteps == 140


def test_posts_that_a_model_did_not_learn_from_are_made_once_scored_and_marked(tmp_path):
    face = Failing(tmp_path / "platform", delay=0)
    run = live(tmp_path, face)
    with pytest.raises(FaceError, match="after the server had accepted"):
        run.run(100)
    run.close()
    again = live(tmp_path, face)
    assert again.posts == 40
    assert again.settle() == 7
    again.run(100)
    made = entries(tmp_path)
    assert [entry.number for entry in made if not entry.counted] == list(range(41, 48))
    assert [entry.post_id for entry in made] == list(range(1, len(made) + 1))
    assert all(entry.score == face.score(entry.post_id) for entry in made)
    assert len(face.contents()) == len(made) == 87  # 13 more would be no rollout
    assert again.posts == 80


def test_what_is_drawn_after_going_on_is_not_what_was_drawn_at_the_beginning(tmp_path):
    run = live(tmp_path)
    run.run(60)
    run.close()
    again = live(tmp_path)
    again.run(120)
    posts = FilePlatform(tmp_path / "platform").contents()
    assert posts[:20] != posts[60:80]


@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [
        (PPO, {"n_steps": 2, "batch_size": 10}),
        (A2C, {"n_steps": 2}),
        (DQN, {"learning_starts": 40, "train_freq": 2, "batch_size": 16}),
    ],
)
def test_what_follows_a_warm_start_goes_on_too(tmp_path, algorithm, settings):
    face = FilePlatform(tmp_path / "platform", delay=0)

    def agent():
        env = FaceVectorEnv(face, 5, CategoricalCodec(ANIMALS))
        return SB3Agent.of(algorithm, env, 0, clone_weight=0.5, clone_decay_posts=200, **settings)

    first = live(tmp_path, face, agent())
    first.warm_start()
    first.run(50)
    before = first.agent.state()["warm_start"]
    first.close()
    again = live(tmp_path, face, agent())
    after = again.agent.state()["warm_start"]
    assert before["posts"] == 50
    assert repr(after) == repr(before)
    again.run(100)
    assert again.agent.state()["warm_start"]["posts"] == 100


def test_a_budget_that_allows_no_update_is_refused_before_anything_is_posted(tmp_path):
    run = live(tmp_path)
    with pytest.raises(ValueError, match="nothing was posted"):
        run.run(10)
    assert FilePlatform(tmp_path / "platform").contents() == []


def test_another_model_is_refused(tmp_path):
    run = live(tmp_path)
    run.warm_start(epochs=1)
    run.close()
    face = FilePlatform(tmp_path / "platform")
    with pytest.raises(ValueError, match="holds a run of a PPO, not of a A2C"):
        live(tmp_path, face, agent_on(face, A2C, n_steps=2))


def test_a_second_process_is_refused(tmp_path):
    run = live(tmp_path)
    with pytest.raises(StorageError, match="in use"):
        live(tmp_path)
    run.close()
    live(tmp_path).close()


def test_a_model_that_is_killed_goes_on_with_every_post_made_once(tmp_path):
    command, kills, rng = [tmp_path / "platform", tmp_path / "run", 400], 4, random.Random(0)
    with forked(killing.__file__, SCRIPT, *command) as process:
        for _ in range(kills):  # within the first hundred posts of a process
            process.start(f"run+{rng.randint(1, 20_000)}")
            assert process.ended() == -signal.SIGKILL
        process.start("-")
        assert process.ended() == 0
    made = entries(tmp_path)
    platform = FilePlatform(tmp_path / "platform", length=0)
    assert [entry.post.x for entry in made] == platform.contents()
    assert [entry.post_id for entry in made] == list(range(1, len(made) + 1))
    assert all(entry.score == platform.score(entry.post_id) for entry in made)
    assert 380 < len(made) <= 400
    assert 0 < sum(not entry.counted for entry in made) <= kills * 20
