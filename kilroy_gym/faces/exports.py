"""Files that people export their posts to: the rows of CSV and JSONL, gzipped or not."""

import csv
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")

Row = tuple[int, dict[str, Any]]
"""The line in which a row ends, from 1, and its cells by column."""


def check_file(path: Path) -> None:
    """Checks that there is a file, and that its name says what is in it.

    Raises:
        FileNotFoundError: There is none.
        ValueError: Its name ends in something else than :data:`SUFFIXES`.
    """
    if not path.name.lower().endswith(SUFFIXES):
        raise ValueError(
            f"{path} must be a CSV file with a header, or JSONL (an object a line), with a name "
            f"that ends in one of {', '.join(SUFFIXES)}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")


def rows_of(path: Path) -> Iterator[Row]:
    """Yields the rows of a file in UTF-8, as a stream.

    A byte order mark and blank lines are left out. Cells of CSV are texts; those of JSONL are what
    JSON has.

    Raises:
        ValueError: It is not what its name says; the message says where.
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
            f"{path} is not UTF-8: somewhere after line {line} comes the byte 0x{byte:02X}; "
            "save it as UTF-8"
        ) from None
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{path} is no whole gzip file, after line {line}: {error}") from None


def _open(path: Path) -> TextIO:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _csv_rows(path: Path, file: Iterable[str]) -> Iterator[Row]:
    # Strict: else what follows a mark that is not closed would silently become one cell.
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
            f"{path} is no CSV after line {line} ({error}): a quotation mark is not closed or not "
            "doubled there, or a cell is longer than csv.field_size_limit()"
        ) from None


def _check_header(path: Path, header: list[str]) -> None:
    twice = [name for name, count in Counter(header).items() if name and count > 1]
    if twice:
        raise ValueError(f"{path} has more than one column {twice[0]!r}: give them other names")


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
        except (ValueError, RecursionError) as error:  # no JSON; too deep
            raise ValueError(f"{path}, line {number} is no JSON: {error}") from None
        if not isinstance(cells, dict):
            raise ValueError(
                f"{path}, line {number} must be an object as {{..}}, got a {type(cells).__name__}"
            )
        yield number, cells
