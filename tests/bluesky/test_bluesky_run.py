"""A run on a real network learns what people like, and its journal tells the truth.

``pytest tests/bluesky/test_bluesky_run.py -m slow -s -n0`` shows by how much they rise.
"""

from statistics import fmean

import pytest
from fans import AllHaveRead, likes, new_module
from scipy.stats import mannwhitneyu

from kilroy_gym.faces import read_journal
from kilroy_gym.live import LiveRun
from kilroy_gym.live.base import JOURNAL

ROUNDS, ROUND = 30, 10


@pytest.mark.parametrize("seed", range(4))
def test_likes_rise_and_the_journal_has_each_post_and_score_of_the_server(
    tmp_path, face_of, account, library, fans_of, counted, seed
):
    fans = fans_of(account)
    face = AllHaveRead(face_of(account, source=library.handle))
    run = LiveRun(face, new_module(seed), tmp_path, ROUND, post_rate=0)
    run.warm_start(epochs=1)
    run.run(ROUNDS * ROUND, lambda played: fans.react_to(played.post_ids))
    run.close()
    entries = read_journal(tmp_path / JOURNAL)
    assert len(entries) == ROUNDS * ROUND
    assert {e.post_id: (e.post.x, e.score) for e in entries} == counted(account)
    scores = [entry.score for entry in entries]
    assert scores == [likes(entry.post.x) for entry in entries]
    first, last = scores[: 5 * ROUND], scores[-5 * ROUND :]
    p = mannwhitneyu(last, first, alternative="greater").pvalue
    print(f"seed {seed}: likes per post from {fmean(first):.2f} to {fmean(last):.2f}, p = {p:.1e}")
    assert p < 0.001
    assert fmean(last) > 1.5 * fmean(first)
