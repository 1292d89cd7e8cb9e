"""How things are kept: SQLite files, the journal and its keys, values as JSON."""
