"""What is wrong with a file is said, with the place and what to do, whoever reads it."""

import gzip

import pytest
from exported import written

from kilroy_gym.faces import LoggedFace


def found(face, limit=None):
    return list(face.scrap_scored(limit))


BAD_ROWS = {
    "a score of words": ('{"text": "b", "score": "many"}', r"row 2 \(line 3\): the score must be a "
                         "finite number, got 'many': correct it, or leave it empty"),
    "a score that is true": ('{"text": "b", "score": true}', "finite number, got True"),
    "a score that is a list": ('{"text": "b", "score": [1]}', r"finite number, got \[1\]"),
    "a score of NaN": ('{"text": "b", "score": NaN}', "finite number, got nan"),
    "an endless score": ('{"text": "b", "score": 1e999}', "finite number, got inf"),
    "a score beyond floats": ('{"text": "b", "score": 1' + "0" * 400 + "}", "finite number, got 1"),
    "a text of numbers": ('{"text": 5, "score": 1}', "the text must be a string, got 5"),
    "a list": ('["b", 1]', r"line 3 must be an object, \{...\}, got a list"),
    "no JSON": ('{"text": "b"', "line 3 is not JSON: "),
    "too deep": ("[" * 100_000, "line 3 is not JSON: "),
    "too long a number": ("9" * 5000, "line 3 is not JSON: "),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_a_line_that_cannot_be_read_is_named_with_the_reason(tmp_path, kind):
    line, reason = BAD_ROWS[kind]
    path = tmp_path / "posts.jsonl"
    written(path, f'{{"text": "a", "score": 1}}\n\n{line}\n')
    face = LoggedFace(path)
    assert len(found(face, 1)) == 1
    for read in (found, lambda face: list(face.scrap()), lambda face: face.score(1)):
        with pytest.raises(ValueError, match=rf"posts.jsonl, .*{reason}") as caught:
            read(face)
        assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("ok,1\nbad,1 like\n", r"row 2 \(line 3\): the score must be .* got '1 like'"),
        ("ok,1\nbad,inf\n", r"row 2 \(line 3\): the score must be .* got 'inf'"),
        ('"two\nlines",1\nbad,x\n', r"row 2 \(line 4\): the score"),
        ("ok,1\nyes, of course,2\n", "line 3: there are 3 cells, but the header has 2; a text"),
        ("ok,1\nalone\n", "line 3: there are 1 cells, but the header has 2"),
        ('ok,1\n"never closed,2\n' + "more,3\n" * 9, "not CSV after line 2 .*mark is not closed"),
        ('ok,1\n"never closed,2\n' + "more,3\n" * 99_999, "not CSV after line 2 .*field larger"),
        ('ok,1\n"he said "hi"",2\n', "not CSV after line 2 .*not closed or not doubled there"),
        ("ok,1\nbad\0,2\n", "line 3: there is a NUL byte; the file is damaged, or UTF-16"),
    ],
)  # fmt: skip
def test_a_row_of_csv_that_cannot_be_read_is_named_with_the_reason(tmp_path, rows, reason):
    face = LoggedFace(written(tmp_path / "posts.csv", f"text,score\n{rows}"))
    assert len(found(face, 1)) == 1
    with pytest.raises(ValueError, match=f"(?s)posts.csv.*{reason}"):
        found(face)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "", "a.csv has no posts: it is empty"),
        ("a.csv", "\n\n", "a.csv has no posts"),
        ("a.csv", "text,score\n", "a.csv has no posts: it is empty, or has only a header"),
        ("a.jsonl", "", "a.jsonl has no posts"),
        ("a.csv.gz", "", "a.csv.gz has no posts"),
        ("a.csv", "text,score\nä,1\n".encode("latin-1"), "not UTF-8: it has the byte 0xE4"),
        ("a.csv", "text,score\na,1\n".encode("utf-16"), "is not UTF-8: .*0xFF"),
        ("a.csv", "text,score\na,1\n".encode("utf-16-le"), "NUL byte; the file is damaged, or UTF"),
        ("a.jsonl", b'{"text": "\xff"}', "UTF-8: it has the byte 0xFF somewhere after line 0"),
        ("a.json", "[]", r"must be a CSV file .* ends in one of .csv, .csv.gz, .jsonl, .jsonl.gz"),
        ("a.tsv", "text\tscore\n", "must be a CSV file with a header, or JSONL"),
        ("a.gz", "", "must be a CSV file with a header, or JSONL"),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_refused_at_once(tmp_path, name, content, reason):
    with pytest.raises(ValueError, match=reason):
        LoggedFace(written(tmp_path / name, content))


def test_a_gzip_file_that_is_none_or_not_whole_is_refused(tmp_path):
    whole = gzip.compress(b"text,score\n" + b"one,1\n" * 99_999)
    path = tmp_path / "posts.csv.gz"
    for content in (b"text,score\none,1\n", whole[: len(whole) // 2], whole[:40] + b"x" * 40):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"posts.csv.gz is not a whole gzip file, after line"):
            list(LoggedFace(path).scrap())


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for path in (tmp_path / "nothing.csv", str(tmp_path / "folder.csv")):
        with pytest.raises(FileNotFoundError, match=r"there is no file .*csv"):
            LoggedFace(path)
