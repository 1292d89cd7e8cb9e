import csv

import numpy as np
import pytest

from kilroy_gym import PostData
from kilroy_gym._records import ScoreLog, defused
from kilroy_gym.interfaces import Round

FORMULAS = ["=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1"]


def written(path, contents, scores, post_ids=None):
    """The rows of the log of one round."""
    with ScoreLog.open(path) as log:
        posts = [PostData(content) for content in contents]
        log(Round(1, post_ids or range(len(posts)), posts, scores))
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_post_that_a_spreadsheet_would_run_is_written_as_text(tmp_path):
    rows = written(tmp_path / "scores.csv", FORMULAS, [1.0] * len(FORMULAS), FORMULAS)
    for column in ("x", "post_id"):
        assert [row[column] for row in rows] == [f"'{text}" for text in FORMULAS]


def test_other_text_is_written_unchanged(tmp_path):
    texts = ["cat", "a=b", "1-1", "'=1", "", " "]
    assert [row["x"] for row in written(tmp_path / "s.csv", texts, [1.0] * 6)] == texts


def test_numbers_are_written_unchanged(tmp_path):
    numbers = [-1, -0.5, np.float64(-2.5), np.int64(-3), True]
    rows = written(tmp_path / "scores.csv", numbers, [-1.0] * 5, [-1, -2, -3, -4, -5])
    assert [row["x"] for row in rows] == ["-1", "-0.5", "-2.5", "-3", "True"]
    assert [row["post_id"] for row in rows] == ["-1", "-2", "-3", "-4", "-5"]
    assert {row["score"] for row in rows} == {"-1.0"}


@pytest.mark.parametrize("number", [-1, -0.5, np.float32(-1), np.int64(-1), float("-inf"), None])
def test_numbers_and_nothing_are_returned_as_the_same_object(number):
    assert defused(number) is number
