import csv
import gzip
import json
import tracemalloc
from pathlib import Path

import pytest
from exported import ODD_TEXTS, SUFFIXES, export, written
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym import FaceError, KilroyTrainer, PostData, ScorePending
from kilroy_gym.faces import LoggedFace, ReviewedFace
from kilroy_gym.modules import NgramModule

DATA = Path(__file__).parents[2].parent / "shared" / "data"
REAL = {
    "reddit_titles/reddit_top2013_titles.csv.gz": ("title", "score", "id", 43_482),
    "captions/uniform_dense_508r2_509r2_540_559.csv.gz": ("caption", "funny", None, 4_516),
    "captions/paired_uniform_vs_lilucb_508_513.csv.gz": ("caption", "ucb_funny", None, 30_162),
}
ROWS = [{"text": "first", "score": 3}, {"text": "second", "score": None}]


def found(face, limit=None):
    return [(post_id, post.x, score) for post_id, post, score in face.scrap_scored(limit)]


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".CSV", ".JSONL.gz"])
def test_posts_and_scores_are_read_from_every_kind_of_file(tmp_path, suffix):
    rows = [{"text": x, "score": number - 3} for number, x in enumerate(ODD_TEXTS)]
    face = LoggedFace(export(tmp_path / f"posts{suffix.lower()}", rows).rename(
        tmp_path / f"posts{suffix}"))  # fmt: skip
    assert found(face) == [(n + 1, x, n - 3.0) for n, x in enumerate(ODD_TEXTS)]
    assert list(face.scrap()) == [(n + 1, PostData(x)) for n, x in enumerate(ODD_TEXTS)]
    assert found(face, 2) == found(face)[:2]


@given(st.lists(st.tuples(st.text(), st.none() | st.floats(allow_nan=False, allow_infinity=False)),
                min_size=1))  # fmt: skip
def test_whatever_json_can_hold_comes_back_as_it_was(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("log") / "posts.jsonl"
    face = LoggedFace(export(path, [{"text": x, "score": score} for x, score in pairs]))
    assert found(face) == [(n, x, score) for n, (x, score) in enumerate(pairs, 1)]


def test_half_a_surrogate_pair_and_nul_of_json_are_texts_too(tmp_path):
    lines = '{"text": "half \\ud800", "score": 1}\n{"text": "nul \\u0000", "score": 1}\n'
    face = LoggedFace(written(tmp_path / "posts.jsonl", lines))
    assert [x for _, x, _ in found(face)] == ["half \ud800", "nul \0"]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_columns_are_named_and_others_do_not_matter(tmp_path, suffix):
    rows = [{"likes": 5, "who": "ann", "body": "hi", "text": "no"}]
    path = export(tmp_path / f"posts{suffix}", rows)
    assert found(LoggedFace(path, text="body", score="likes", post_id="who")) == [("ann", "hi", 5)]
    assert found(LoggedFace(path, score=None)) == [(1, "no", None)]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_byte_order_marks_line_ends_and_blank_lines_make_no_difference(tmp_path, mark, end):
    rows = ["text,score", "", "one,1", "", '"a,b",2', ""]
    path = written(tmp_path / "posts.csv", mark + end.join(rows))
    assert found(LoggedFace(path)) == [(1, "one", 1.0), (2, "a,b", 2.0)]
    lines = [json.dumps({"text": "one", "score": 1}), "", json.dumps({"text": "b", "score": 2})]
    path = written(tmp_path / "posts.jsonl", mark + end.join(lines))
    assert found(LoggedFace(path)) == [(1, "one", 1.0), (2, "b", 2.0)]


@pytest.mark.parametrize("cell", ["", "  ", "\t"])
def test_a_row_without_a_score_is_a_post_whose_score_is_not_known(tmp_path, cell):
    face = LoggedFace(written(tmp_path / "a.csv", f"text,score\none,{cell}\ntwo,-1e3\n"))
    assert found(face) == [(1, "one", None), (2, "two", -1000.0)]
    lines = ['{"text": "one"}', '{"text": "two", "score": null}', '{"text": "x", "score": "7"}']
    face = LoggedFace(written(tmp_path / "a.jsonl", "\n".join(lines)))
    assert [score for _, _, score in found(face)] == [None, None, 7.0]


def test_a_row_without_a_text_is_the_empty_post(tmp_path):
    lines = ['{"score": 1}', '{"text": null, "score": 2}', '{"text": "", "score": 3}']
    face = LoggedFace(written(tmp_path / "a.jsonl", "\n".join([*lines, '{"text": "x"}'])))
    assert [x for _, x, _ in found(face)] == ["", "", "", "x"]


def test_scores_are_looked_up_by_id(tmp_path):
    rows = [{"key": "a", "text": "x", "score": 1.5}, {"key": "b", "text": "y", "score": ""}]
    face = LoggedFace(export(tmp_path / "posts.csv", rows), post_id="key")
    assert face.score("a") == 1.5
    with pytest.raises(ScorePending):
        face.score("b")
    assert list(face.score_many(["b", "a"])) == [("a", 1.5)]
    with pytest.raises(KeyError, match=r"no post 1 in .*posts.csv: an id is 'key'"):
        face.score(1)
    with pytest.raises(KeyError, match="an id is the number of a row, from 1"):
        LoggedFace(tmp_path / "posts.csv").score(0)


def test_nothing_can_be_posted_and_no_wrapper_makes_that_a_score(tmp_path):
    face = LoggedFace(export(tmp_path / "posts.csv", ROWS))
    reason = "is a record of what was posted, and LoggedFace cannot post: use it for KilroyTrainer"
    for one in (face, ReviewedFace(face)):
        with pytest.raises(NotImplementedError, match=reason):
            one.post(PostData("hello"))
    trainer = KilroyTrainer(face, NgramModule(seed=0)).fine_tune(epochs=1)
    with pytest.raises(FaceError, match=reason) as caught:
        trainer.run(post_rate=0)
    assert caught.value.posts == {}


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_an_id_is_there_once_and_is_a_text_or_an_integer(tmp_path, suffix):
    path = tmp_path / f"posts{suffix}"
    rows = [{"key": key, "text": "x", "score": 1} for key in ("a", "b", "a")]
    face = LoggedFace(export(path, rows), post_id="key")
    with pytest.raises(ValueError, match=r"row 3 .*an earlier row has the same id, 'a'"):
        list(face.scrap())
    face = LoggedFace(export(path, [{**rows[0], "key": ""}]), post_id="key")
    with pytest.raises(ValueError, match="the id must be a text or an integer, got ''"):
        list(face.scrap())


CELL = "a cell of 10,000 characters ".ljust(10_000, "x")


def test_a_text_of_10_000_characters_is_one_of_many(tmp_path):
    assert len(found(LoggedFace(export(tmp_path / "a.csv", [{"text": CELL, "score": 1}])))) == 1
    long = [{"text": CELL * 14, "score": 1}]  # more than the default of csv.field_size_limit
    with pytest.raises(ValueError, match=r"a cell is longer than csv.field_size_limit\(\)"):
        LoggedFace(export(tmp_path / "a.csv", long))
    before = csv.field_size_limit(200_000)
    try:
        assert found(LoggedFace(tmp_path / "a.csv")) == [(1, CELL * 14, 1.0)]
    finally:
        csv.field_size_limit(before)


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path):
    for suffix in (".csv", ".jsonl"):
        path = export(tmp_path / f"posts{suffix}", [{"title": "x", "scores": 1}] * 2)
        reason = r"no column 'titel': it has 'title', 'scores'; .*Did you mean text='title'\?"
        with pytest.raises(ValueError, match=reason):
            LoggedFace(path, text="titel", score="scores")
        with pytest.raises(ValueError, match=r"no column 'score': .*mean score='scores'\?"):
            LoggedFace(path, text="title")
        with pytest.raises(ValueError, match=r"no column 'key': .* name one by post_id=...$"):
            LoggedFace(path, text="title", score="scores", post_id="key")


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    path = written(tmp_path / "posts.csv", "text,score,text\na,1,b\n")
    with pytest.raises(ValueError, match="more than one column 'text'"):
        LoggedFace(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_scraping_takes_no_more_memory_where_the_file_is_larger(tmp_path, suffix):
    def peak(count):
        rows = [{"text": str(number) * 100, "score": number} for number in range(count)]
        face = LoggedFace(export(tmp_path / f"{count}{suffix}", rows))
        tracemalloc.start()
        try:
            assert sum(1 for _ in face.scrap()) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    small = peak(1_000)
    # 10,000 of these posts take more than 4 MB in memory
    assert peak(10_000) < small + 200_000


@pytest.mark.skipif(not DATA.exists(), reason=f"needs the folder of real posts, {DATA}")
@pytest.mark.parametrize("name", REAL)
def test_real_posts_are_read_as_they_are(name):
    text, score, post_id, count = REAL[name]
    face = LoggedFace(DATA / name, text, score, post_id)
    with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = range(1, count + 1) if post_id is None else [row[post_id] for row in rows]
    pairs = [(row[text], float(row[score])) for row in rows]
    assert len(rows) == count
    assert found(face) == [(one, *pair) for one, pair in zip(numbers, pairs, strict=True)]
