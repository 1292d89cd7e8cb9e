"""Reads exported posts: the rows of CSV and JSONL files, gzipped or not."""

import csv
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")

Row = tuple[int, dict[str, object]]
"""The last line of a row, from 1, and its cells by column."""


def check_file(path: Path) -> None:
    """Checks that a file exists and that its name tells its format.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Its name does not end in one of :data:`SUFFIXES`.
    """
    if not path.name.lower().endswith(SUFFIXES):
        raise ValueError(
            f"{path} must be a CSV file with a header, or JSONL (one object per line), with a name "
            f"that ends in one of {', '.join(SUFFIXES)}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")


def rows_of(path: Path) -> Iterator[Row]:
    """Yields the rows of a UTF-8 file, as a stream.

    A byte order mark and blank lines are skipped. Cells of CSV are texts; cells of JSONL are JSON
    values.

    Raises:
        ValueError: The file does not have the format that its name tells; the message says where.
    """
    line = 0
    is_csv = path.name.lower().removesuffix(".gz").endswith(".csv")
    parse = _csv_rows if is_csv else _json_rows
    try:
        with _open(path) as file:
            for line, cells in parse(path, file):
                yield line, cells
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise ValueError(
            f"{path} is not UTF-8: it has the byte 0x{byte:02X} somewhere after line {line}; "
            "save it as UTF-8"
        ) from None
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{path} is not a whole gzip file, after line {line}: {error}") from None


def _open(path: Path) -> TextIO:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _csv_rows(path: Path, file: Iterable[str]) -> Iterator[Row]:
    # Strict, since all that follows an unclosed quotation mark would silently become one cell.
    reader = csv.reader(_without_nul(path, file), strict=True)
    line = 0
    try:
        header = next(filter(None, reader), [])
        _check_header(path, header)
        for cells in filter(None, reader):
            if len(cells) != len(header):
                raise ValueError(
                    f"{path}, line {reader.line_num}: there are {len(cells)} cells, but the "
                    f"header has {len(header)}; a text with a comma must be in quotation marks"
                )
            line = reader.line_num
            yield line, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ValueError(
            f"{path} is not CSV after line {line} ({error}): a quotation mark is not closed or not "
            "doubled there, or a cell is longer than csv.field_size_limit()"
        ) from None


def _check_header(path: Path, header: list[str]) -> None:
    twice = [name for name, count in Counter(header).items() if name and count > 1]
    if twice:
        raise ValueError(f"{path} has more than one column {twice[0]!r}: rename all but one")


def _without_nul(path: Path, file: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if "\0" in line:
            raise ValueError(
                f"{path}, line {number}: there is a NUL byte; the file is damaged, or UTF-16: save "
                "it as UTF-8"
            )
        yield line


def _json_rows(path: Path, file: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:  # not JSON; nested too deeply
            raise ValueError(f"{path}, line {number} is not JSON: {error}") from None
        if not isinstance(cells, dict):
            raise ValueError(
                f"{path}, line {number} must be an object, {{...}}, got a {type(cells).__name__}"
            )
        yield number, cells
