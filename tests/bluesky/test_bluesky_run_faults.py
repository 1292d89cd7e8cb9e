"""A run on a real network that fails at random requests: it goes on, and nothing is double."""

import random
import time
from collections import Counter

import pytest
from fans import AllHaveRead, likes, new_module
from faults import FAULTS, RARER_FAULTS, RETRY_AFTER_S

from kilroy_gym.faces import RetryingFace, read_journal
from kilroy_gym.live import LiveRun
from kilroy_gym.live.base import JOURNAL

ROUNDS, ROUND = 12, 5
PASSING = [fault for fault in (*FAULTS, *RARER_FAULTS) if fault != "401"]  # a wrong password stays
TIMES = 3


class ShortWaits:
    """A clock by which every wait is over at once."""

    def __init__(self, at_each):
        self.waits, self._at_each = [], at_each

    def time(self):
        return time.time() + sum(self.waits)

    def sleep(self, seconds):
        self.waits.append(seconds)
        self._at_each()


def plan_of(rng):
    """Each fault a few times, at random among the first requests."""
    faults = PASSING * TIMES
    rng.shuffle(faults)
    return dict(zip(rng.sample(range(3 * len(faults)), len(faults)), faults, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_a_run_goes_on_through_every_fault_and_each_post_is_made_once(
    tmp_path, account, library, fans_of, proxy, face_of, counted, seed
):
    fans = fans_of(account)  # who are behind no proxy
    reopened = []
    clock = ShortWaits(lambda: reopened.append(1) if proxy.listen() else None)
    proxy.put_between()
    proxy.strict = True
    proxy.break_requests(plan_of(random.Random(seed)))
    # It has no profile, which is an error that says so, and garbled one that stays.
    settings = {"source": library.handle, "timeout_s": 5.0, "label_as_bot": False}
    face = RetryingFace(AllHaveRead(face_of(account, **settings)), clock=clock)
    run = LiveRun(face, new_module(seed), tmp_path, ROUND, post_rate=0)
    run.warm_start(epochs=1)
    run.run(ROUNDS * ROUND, lambda played: fans.react_to(played.post_ids))
    run.close()
    assert Counter(proxy.broken) == dict.fromkeys(PASSING, TIMES)
    assert len(reopened) == TIMES  # somebody had been refused
    assert sum(wait == RETRY_AFTER_S for wait in clock.waits) == TIMES
    print(f"seed {seed}: {len(proxy.broken)} of {len(proxy.requests)} requests were broken")
    entries = read_journal(tmp_path / JOURNAL)
    assert len(entries) == ROUNDS * ROUND
    assert {e.post_id: (e.post.x, e.score) for e in entries} == counted(account)
    assert [entry.score for entry in entries] == [likes(entry.post.x) for entry in entries]
