import gymnasium as gym
import numpy as np
import pytest

from kilroy_gym import KilroyTrainer, ModuleAgent
from kilroy_gym.adapters.evaluation import mean_score
from kilroy_gym.codecs import SequenceCodec
from kilroy_gym.modules import CategoricalModule, SequenceModule


class Cycling:
    """Stops one post in two at once, and composes the best post otherwise."""

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        best = np.array([9, 0, 9, 0])
        written = (observation < 10).sum(axis=-1) - 1
        if observation.ndim == 1:
            return best[written], state
        stops = (np.arange(len(observation)) % 2 == 0) & (written == 0)
        return np.where(stops, 2, best[written]), state


def test_composed_posts_count_alike_however_long_they_are():
    env = gym.make_vec("Kilroy-ZigzagSteps-v0", num_envs=2)
    assert mean_score(Cycling(), env, 6) == pytest.approx((1 / 36 + 35 / 36) / 2)
    assert mean_score(Cycling(), env, 3) == pytest.approx((2 * 1 / 36 + 35 / 36) / 3)


def test_a_composed_post_counts_once():
    assert mean_score(Cycling(), gym.make("Kilroy-ZigzagSteps-v0"), 3) == pytest.approx(35 / 36)


@pytest.mark.parametrize("slots", [1, 7, 30])
@pytest.mark.parametrize("env_id", ["Kilroy-Zigzag-v0", "Kilroy-ZigzagSteps-v0"])
def test_it_is_the_mean_of_as_many_posts_as_asked_for(env_id, slots):
    codec = SequenceCodec(10, 5, 1, 2)
    env = gym.make_vec(env_id, num_envs=slots)
    # the first drafts of a slot do not depend on how long the others are
    agent, twin = (ModuleAgent(SequenceModule(codec, seed=3), env) for _ in range(2))
    drafts = [twin.module.generate()[1].x for _ in range(slots)]
    whole = gym.make("Kilroy-Zigzag-v0").unwrapped
    scores = [whole.step(codec.encode(x))[1] for x in drafts]
    assert mean_score(agent, env, slots) == pytest.approx(np.mean(scores))


def test_a_run_that_does_not_wait_is_evaluated_on_scores_and_not_on_zeros():
    env = gym.make_vec("Kilroy-Delayed-v0", num_envs=5, wait=False)
    trainer = KilroyTrainer(env, CategoricalModule(range(5), seed=0), seed=0).run(posts=20)
    waiting = gym.make_vec("Kilroy-Delayed-v0", num_envs=5)
    waiting.reset(seed=0)
    assert trainer.evaluate(200) > waiting.unwrapped.face.audience.means.min()
    assert env.unwrapped.wait is False
