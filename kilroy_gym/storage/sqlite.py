"""SQLite files that hold what must survive a crash."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kilroy_gym._records import made_private


class StorageError(RuntimeError):
    """A file that a run depends on cannot be opened, read or written."""


@dataclass(frozen=True)
class Storage:
    """A kind of SQLite file.

    Args:
        what: Its name in error messages.
        application_id: The mark by which SQLite tells such files from others.
        schema: The statements that create its tables if they are missing.
    """

    what: str
    application_id: int
    schema: tuple[str, ...]

    def open(self, path: Path) -> sqlite3.Connection:
        """Opens a file, creates it if missing, and checks that it can be written.

        Every statement is durable when it returns, even if the machine crashes.

        Raises:
            StorageError: It cannot be opened or written, or is another kind of file.
        """
        with self.explained(path):
            # SQLite gives the files beside it the same mode.
            connection = sqlite3.connect(made_private(path), isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                self._check_kind(connection, path)
                for statement in self.schema:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {self.application_id}")
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            return connection

    def open_to_read(self, path: Path) -> sqlite3.Connection:
        """Opens an existing file for reading; another process may be writing to it.

        Raises:
            StorageError: It does not exist, cannot be read, or is another kind of file.
        """
        with self.explained(path):
            uri = f"{path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None)
            try:
                self._check_kind(connection, path)
            except BaseException:
                connection.close()
                raise
            return connection

    def lock(self, path: Path) -> sqlite3.Connection:
        """Locks a file for this process until the connection is closed or the process ends.

        The lock is SQLite's own, on an empty file beside ``path``: it works on every system, a
        crash releases it, and others can still read ``path``.

        Raises:
            StorageError: The file is locked already.
        """
        lock_path = path.with_name(f"{path.name}.lock")
        with self.explained(lock_path):
            connection = sqlite3.connect(made_private(lock_path), timeout=0, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = OFF")  # nothing is ever written
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error as error:
                connection.close()
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                raise StorageError(
                    f"{self.what} {path} is in use: another process has it open, or this one has "
                    "it open twice; end that first, or give another path"
                ) from None
            return connection

    @contextmanager
    def explained(self, path: Path) -> Iterator[None]:
        """Turns SQLite's errors into errors that name the file.

        Raises:
            StorageError: SQLite failed inside the block.
        """
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"{self.what} {path} cannot be used: {error}; it needs a writable directory, room "
                "on the disk, and a path that no other kind of file has"
            ) from error

    def _check_kind(self, connection: sqlite3.Connection, path: Path) -> None:
        (found,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        if tables and found != self.application_id:
            raise StorageError(f"{path} is a database, but not a {self.what}; give another path")
