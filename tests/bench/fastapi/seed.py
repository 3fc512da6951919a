"""Fills a database that api-server has made: `seed.py DATABASE [SUBJECT COUNT]…`, for `cargo xtask bench api`.

Owner number n of the command line gets documents `{n:08x}-0000-7000-8000-{m:012x}`, m from 1 to COUNT, a millisecond
apart. Prints one line of JSON: for each owner the id of the document in the middle of the list and the cursor to it.
"""

import base64
import json
import sqlite3
import sys

BEGUN = 1_700_000_000_000
CONTENT = "# Notes\n\n" + "Some words of *Markdown* that somebody wrote down, about as many as a note has. " * 3

path, *owners = sys.argv[1:]
database = sqlite3.connect(path, isolation_level=None)
database.execute("PRAGMA synchronous = OFF")
database.execute("PRAGMA cache_size = -262144")
middles = []
database.execute("BEGIN")
for number, (subject, count) in enumerate(zip(owners[::2], map(int, owners[1::2]))):
    database.execute(
        "INSERT INTO users (subject, change_seq, created_at, updated_at) VALUES (?, ?, ?, ?)",
        (subject, count, BEGUN, BEGUN),
    )
    name = f"{number:08x}-0000-7000-8000-"
    database.execute(
        """
        WITH RECURSIVE m (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM m WHERE n < ?3)
        INSERT INTO documents (owner, id, version, change_seq, created_at, updated_at,
                               size_bytes, title, tags, content)
        SELECT ?1, ?2 || printf('%012x', n), 1, n, ?4 + n, ?4 + n,
               length(?5) + length(n) + 14, 'Note ' || n, '["work","later"]', ?5 FROM m
        """,
        (subject, name, count, BEGUN, CONTENT),
    )
    middle = max(count // 2, 1)
    cursor = base64.urlsafe_b64encode(f"d1.{BEGUN + middle}.{name}{middle:012x}".encode())
    middles.append({"id": f"{name}{middle:012x}", "cursor": cursor.decode().rstrip("=")})
database.execute("COMMIT")
database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
print(json.dumps(middles))
