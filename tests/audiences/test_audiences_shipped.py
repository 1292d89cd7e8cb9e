"""What holds for every audience that ships, and for the one of the tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts import MoodyAudience

from kilroy_gym.audiences import Audience
from kilroy_gym.envs.suite import AUDIENCES, audience_class

CLASSES = [*map(audience_class, AUDIENCES.values()), MoodyAudience]
every_audience = pytest.mark.parametrize("audience", CLASSES)


def started(audience: type[Audience], seed: int = 0) -> tuple[Audience, np.random.Generator]:
    made, rng = audience(), np.random.default_rng(seed)
    made.restart(rng)
    return made, rng


@every_audience
@given(seed=st.integers(0, 2**32), sizes=st.lists(st.integers(1, 6), max_size=4))
def test_a_batch_means_the_same_as_its_actions_one_after_another(audience, seed, sizes):
    (whole, whole_rng), (single, single_rng) = started(audience, seed), started(audience, seed)
    for size in sizes:
        actions = whole.codec.check_actions([whole.codec.space.sample() for _ in range(size)])
        one_by_one = [single.respond(action, single_rng) for action in actions]
        for got, expected in zip(
            whole.respond(actions, whole_rng), zip(*one_by_one, strict=True), strict=True
        ):
            np.testing.assert_array_equal(np.broadcast_to(got, size), np.ravel(expected))


@every_audience
@given(seed=st.integers(0, 2**32), size=st.integers(1, 20))
def test_no_post_is_expected_to_score_better_than_the_best(audience, seed, size):
    made, rng = started(audience, seed)
    response = made.respond(
        made.codec.check_actions([made.codec.space.sample() for _ in range(size)]), rng
    )
    assert (np.asarray(response[1]) <= response[2]).all()


@every_audience
@pytest.mark.parametrize("count", [0, 1, 30])
def test_the_community_posts_actions_of_the_codec(audience, count):
    made, rng = started(audience)
    actions, _ = made.community(count, rng)
    assert len(made.codec.decode_many(made.codec.check_actions(actions))) == count
