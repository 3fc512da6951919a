"""Three of api-server's routes as FastAPI, python-jose and SQLite make them: what `cargo xtask bench api` compares with.

Schema, durability, checks of the token and answers are api-server's; the rest is the framework's own tutorial, in its
quicker forms: uvloop and httptools, handlers without a thread pool, one connection, answers as models, which pydantic
serialises. python-jose is given the JSON Web Key for each token, as Auth0's quickstart for Python does; with
BENCH_KEYS=constructed it makes the key once, which few do and which is quicker. It serves a bench and nothing else:
search, tombstones of others, errors in our format and all other routes are not there.
"""

import base64
import json
import os
import sqlite3
import time
import uuid
from datetime import datetime, timezone
from typing import Annotated

from fastapi import Body, Depends, FastAPI, Header, HTTPException, Query, Response
from jose import JWTError, jwk, jwt
from pydantic import BaseModel, Field

ISSUER = os.environ["BENCH_ISSUER"]
AUDIENCE = os.environ["BENCH_AUDIENCE"]
with open(os.environ["BENCH_JWKS"], encoding="utf-8") as file:
    KEYS = {key["kid"]: key for key in json.load(file)["keys"]}
if os.environ.get("BENCH_KEYS") == "constructed":
    KEYS = {kid: jwk.construct(key, "RS256") for kid, key in KEYS.items()}

# As api-server opens it: see api-server/src/database/sqlite.rs.
database = sqlite3.connect(os.environ["BENCH_DATABASE"], isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = FULL")
database.execute("PRAGMA foreign_keys = ON")
database.execute("PRAGMA temp_store = MEMORY")
database.execute("PRAGMA busy_timeout = 5000")

app = FastAPI()


def caller(scope: str):
    """The subject of a bearer token that is good for `scope`."""

    def judge(authorization: Annotated[str | None, Header()] = None) -> str:
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        try:
            key = KEYS[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
        except (JWTError, KeyError) as error:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise HTTPException(401, headers=challenge) from error
        if scope not in claims.get("scope", "").split(" "):
            raise HTTPException(403, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'})
        return claims["sub"]

    # Called on the event loop: a dependency that is a plain function would go to the thread pool.
    async def dependency(authorization: Annotated[str | None, Header()] = None) -> str:
        return judge(authorization)

    return dependency


class Draft(BaseModel):
    """What a client wants a document to contain."""

    title: str = Field("", max_length=500)
    tags: list[str] = Field([], max_length=32)
    content: str = Field("", max_length=1 << 20)


class Document(BaseModel):
    """A document as its owner sees it."""

    id: str
    version: int
    title: str
    tags: list[str]
    content: str
    createdAt: str
    updatedAt: str


class Summary(BaseModel):
    """A document in a list: everything but its content."""

    id: str
    version: int
    title: str
    tags: list[str]
    sizeBytes: int
    createdAt: str
    updatedAt: str


class Page(BaseModel):
    """One page of a list."""

    items: list[Summary]
    nextCursor: str | None


def rfc3339(millis: int) -> str:
    seconds = datetime.fromtimestamp(millis // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{millis % 1000:03}".rstrip("0").rstrip(".")
    return f"{seconds}{fraction}Z"


def document(row) -> Document:
    return Document(
        id=row[0],
        version=row[1],
        title=row[2],
        tags=json.loads(row[3]),
        content=row[4],
        createdAt=rfc3339(row[5]),
        updatedAt=rfc3339(row[6]),
    )


@app.get("/healthz")
async def healthz() -> dict:
    return {"status": "ok"}


@app.get("/api/v1/documents")
async def list_documents(
    response: Response,
    owner: Annotated[str, Depends(caller("read:documents"))],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Page:
    created_at, last = (1 << 63) - 1, ""
    if cursor is not None:
        padded = cursor + "=" * (-len(cursor) % 4)
        _, text, last = base64.urlsafe_b64decode(padded).decode().split(".", 2)
        created_at = int(text)
    rows = database.execute(
        "SELECT id, version, title, tags, size_bytes, created_at, updated_at FROM documents"
        " WHERE owner = ? AND deleted_at IS NULL AND (created_at, id) < (?, ?)"
        " ORDER BY created_at DESC, id DESC LIMIT ?",
        (owner, created_at, last, limit + 1),
    ).fetchall()
    items = [
        Summary(
            id=row[0],
            version=row[1],
            title=row[2],
            tags=json.loads(row[3]),
            sizeBytes=row[4],
            createdAt=rfc3339(row[5]),
            updatedAt=rfc3339(row[6]),
        )
        for row in rows[:limit]
    ]
    next_cursor = None
    if len(rows) > limit:
        last_row = rows[limit - 1]
        position = f"d1.{last_row[5]}.{last_row[0]}"
        next_cursor = base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")
    response.headers["Cache-Control"] = "private, no-cache"
    return Page(items=items, nextCursor=next_cursor)


@app.get("/api/v1/documents/{document_id}")
async def get_document(
    response: Response,
    document_id: uuid.UUID,
    owner: Annotated[str, Depends(caller("read:documents"))],
) -> Document:
    row = database.execute(
        "SELECT id, version, title, tags, content, created_at, updated_at FROM documents"
        " WHERE owner = ? AND id = ? AND deleted_at IS NULL",
        (owner, str(document_id)),
    ).fetchone()
    if row is None:
        raise HTTPException(404)
    response.headers["ETag"] = f'"{row[1]}"'
    response.headers["Cache-Control"] = "private, no-cache"
    return document(row)


@app.post("/api/v1/documents", status_code=201)
async def create_document(
    response: Response,
    draft: Annotated[Draft, Body()],
    owner: Annotated[str, Depends(caller("write:documents"))],
) -> Document:
    now = time.time_ns() // 1_000_000
    tags = json.dumps(draft.tags)
    size = sum(len(text.encode()) for text in (draft.title, draft.content, *draft.tags))
    database.execute("BEGIN IMMEDIATE")
    try:
        (change,) = database.execute(
            "INSERT INTO users (subject, change_seq, created_at) VALUES (?, 1, ?)"
            " ON CONFLICT (subject) DO UPDATE SET change_seq = users.change_seq + 1 RETURNING change_seq",
            (owner, now),
        ).fetchone()
        row = database.execute(
            "INSERT INTO documents (owner, id, version, change_seq, created_at, updated_at,"
            " size_bytes, title, tags, content) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?)"
            " RETURNING id, version, title, tags, content, created_at, updated_at",
            (owner, str(uuid.uuid4()), change, now, now, size, draft.title, tags, draft.content),
        ).fetchone()
        database.execute("COMMIT")
    except sqlite3.Error:
        database.execute("ROLLBACK")
        raise
    response.headers["ETag"] = '"1"'
    response.headers["Location"] = f"/api/v1/documents/{row[0]}"
    return document(row)
