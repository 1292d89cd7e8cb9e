"""A platform in an SQLite file, which outlives whoever posts to it."""

import sqlite3

from kilroy_gym import KilroyFace, PostData, ScorePending

LIKES = {"cat": 1.0, "dog": 2.0, "duck": 5.0}


class FilePlatform(KilroyFace):
    """Scores a post once ``delay`` later ones have gone out; posts at most once for a key."""

    def __init__(self, path, delay=7, length=300):
        self.delay, self.length = delay, length
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA synchronous = OFF")
        table = "posts (number INTEGER PRIMARY KEY, key INTEGER UNIQUE, x TEXT)"
        self.connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")

    def scrap(self, limit=None):
        yield from enumerate(PostData(x) for x in ["cat", "cat", "dog", "duck"])

    idempotent = True

    def post(self, data):
        if data.key is None:
            insert = "INSERT INTO posts (x) VALUES (?)"
            return self.connection.execute(insert, (data.x,)).lastrowid
        insert = "INSERT OR IGNORE INTO posts (key, x) VALUES (?, ?)"
        self.connection.execute(insert, (data.key, data.x))
        find = "SELECT number FROM posts WHERE key = ?"
        return self.connection.execute(find, (data.key,)).fetchone()[0]

    def score(self, post_id):
        ((count,),) = self.connection.execute("SELECT MAX(number) FROM posts")
        ((asked,),) = self.connection.execute("SELECT x FROM posts WHERE number = ?", (post_id,))
        if count - post_id < self.delay and not self.quiet(count):
            raise ScorePending
        return LIKES[asked] + (post_id * 7919 % 13) / 13

    def quiet(self, count):
        """At the end of the run nobody posts any more, and all scores become known."""
        return count >= self.length

    def contents(self):
        return [x for (x,) in self.connection.execute("SELECT x FROM posts ORDER BY number")]
