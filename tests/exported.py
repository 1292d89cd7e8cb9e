"""Writes exports, as people have them."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")

ODD_TEXTS = [
    "👩‍👩‍👧 and 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "שלום עולם \u200f— العربية",
    "zero\u200bwidth\ufeff",
    "two\nlines\r\nand\u2028a third",
    " \"quoted\", with a comma; 'and' \\n ",
    "word " * 2000,
    "=1+1",
]


def written(path: Path, content: str | bytes) -> Path:
    """Writes a file, gzipped where its name says so."""
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def export(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Writes rows as the name of the file says."""
    if ".csv" not in path.name:
        return written(path, "".join(f"{json.dumps(row)}\n" for row in rows))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return written(path, buffer.getvalue())
