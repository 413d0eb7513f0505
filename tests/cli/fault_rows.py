"""The faults of servers and of what sits between; each with the exit code that it has to have.

A row's reply is sent for every request of a run, so that no later answer can hide an earlier one.
"""

from __future__ import annotations

import codecs
import gzip
import itertools
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.outcome import ID, MARK, OTHER
from tests.support.servers import (
    CLOSE,
    KEEP,
    RESET,
    Reply,
    chunked,
    endless,
    gzip_bomb,
    http,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["BLOCKED_BODY", "GOOD_BODY", "ROWS", "RUNNING_BODY", "Row", "body_of"]

GREEN, RED, OPEN, ERROR = 0, 1, 3, 4


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        name: what it is.
        replies: what the server sends; the last reply for all further requests.
        code: the exit code, 0 only where the answer is whole and good.
        says: what the run has to say about it.
        argv: further arguments of the run.
    """

    name: str
    replies: tuple[Reply | Callable[[], Reply], ...]
    code: int = ERROR
    says: str = ""
    argv: tuple[str, ...] = field(default=())


def body_of(status: str = "PASSED", process: Any = "100%", task: str = ID, **more: Any) -> bytes:
    """Return an answer's body with one item of that status."""
    entry = {
        "precheck_id": task,
        "process": process,
        "result": status == "PASSED",
        "precheck_result": [{"item": "network", "result": status}],
    }
    return json.dumps({"results": [entry], "count": 1, **more}).encode()


GOOD_BODY = body_of()
BLOCKED_BODY = body_of("FAILED")
RUNNING_BODY = body_of("PASSED", "50%")
PACKED = gzip.compress(GOOD_BODY, mtime=0)
SIZE = len(GOOD_BODY)
JSON_TYPE = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
LENGTH = f"Content-Length: {SIZE}"
GZIP = "Content-Encoding: gzip"
NOT_HTTP = "is not valid HTTP"
NOT_JSON = "not valid JSON"
CUT_OFF = "closed the connection"
EARLY = "ended early"
PACKED_BADLY = "compressed answer"
CACHED = "A cache answered in place of"


def green() -> Iterator[Row]:
    """Good answers, in each form that is allowed: they show that a row can be green."""
    for name, reply in (
        ("plain", plain(GOOD_BODY, JSON_TYPE)),
        ("in chunks", chunked(GOOD_BODY)),
        ("in chunks of one byte", chunked(GOOD_BODY, size=1)),
        ("until the connection is closed", http(GOOD_BODY)),
        ("by HTTP/1.0", http(GOOD_BODY, version="HTTP/1.0")),
        ("compressed", plain(PACKED, GZIP)),
        ("compressed, in chunks", chunked(PACKED, GZIP, size=7)),
        ("compressed twice", plain(gzip.compress(PACKED, mtime=0), "Content-Encoding: gzip, gzip")),
        ("with many headers", plain(GOOD_BODY, *(f"X-{number}: y" for number in range(90)))),
        ("with a long header", plain(GOOD_BODY, "X: " + "y" * 60_000)),
        ("with a header of two lines", plain(GOOD_BODY, "X: y\r\n z")),
        ("with lines that end in LF", plain(GOOD_BODY).replace(b"\r\n", b"\n")),
        ("without a reason", plain(GOOD_BODY, status="200")),
        ("with a reason in Latin-1", plain(GOOD_BODY, status="200 d\xe9j\xe0 vu")),
        ("with the same length twice", plain(GOOD_BODY, LENGTH)),
        ("with blanks around the length", http(GOOD_BODY, f"Content-Length:  {SIZE} ")),
        ("with an extension of a chunk", http(_chunk(b"%x;a=b"), CHUNKED)),
        ("with trailers", http(_chunk(b"%x")[:-2] + b"X: y\r\n\r\n", CHUNKED)),
        ("with Chunked in capitals", http(_chunk(b"%X"), "transfer-encoding: CHUNKED")),
        ("after 100 Continue", http(status="100 Continue") * 3 + plain(GOOD_BODY)),
        ("after 103 Early Hints", http(b"", "Link: </x>", status="103 x") + plain(GOOD_BODY)),
        ("with blanks around the JSON", plain(b"\r\n  " + GOOD_BODY + b"\n\n")),
        ("with a BOM, which RFC 8259 allows to ignore", plain(codecs.BOM_UTF8 + GOOD_BODY)),
        ("as text/html", plain(GOOD_BODY, "Content-Type: text/html; charset=utf-16")),
        ("with a compression of no name", plain(GOOD_BODY, "Content-Encoding: identity")),
        ("fresh from a cache's side", plain(GOOD_BODY, "Age: 0", "X-Cache: MISS from white.hit")),
        ("not a hit", plain(GOOD_BODY, "Cache-Status: x; hit=?0; fwd=miss", "X-Cache: TCP_MISS")),
    ):
        yield Row(f"green: {name}", (reply,), GREEN)
    yield Row("green: on a kept connection", ((plain(RUNNING_BODY), KEEP), plain(GOOD_BODY)), GREEN)
    yield Row(
        "green: kept, then closed without a word",
        (plain(RUNNING_BODY), plain(GOOD_BODY)),
        GREEN,
    )


def _chunk(size: bytes, body: bytes = GOOD_BODY, end: bytes = b"\r\n0\r\n\r\n") -> bytes:
    return (size % len(body) if b"%" in size else size) + b"\r\n" + body + end


def statuses() -> Iterator[Row]:
    """Every status but 200, over the body that would pass."""
    known = (
        *(101, 201, 202, 203, 204, 205, 206, 207, 208, 226, 299, 300, 301, 302, 303, 304, 305, 307),
        *(308, 399, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414),
        *(415, 416, 417, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499, 500, 501),
        *(502, 503, 504, 505, 506, 507, 508, 510, 511, 520, 599, 600, 799, 999),
    )
    for status in known:
        words = "redirects to" if 300 <= status < 400 else f"HTTP {status}"
        lines = ("Location: https://elsewhere.invalid/x",) if 300 <= status < 400 else ()
        yield Row(
            f"status {status}", (plain(GOOD_BODY, *lines, status=f"{status} x"),), ERROR, words
        )
    page = b"<html><title>Sign in</title></html>"
    for status in (200, 203, 302, 401, 403, 404, 407, 502, 503):
        yield Row(f"a page with {status}", (plain(page, status=f"{status} x"),), ERROR)
    for name, place in {
        "nowhere": "",
        "an address that is none": "http://[",
        "a script": "javascript:alert(1)",
        "itself": "/",
        "a password": f"https://u:{MARK}@elsewhere.invalid/",
        "a file": "file:///etc/passwd",
    }.items():
        reply = plain(b"", f"Location: {place}", status="302 Found")
        yield Row(f"a redirect to {name}", (reply,), ERROR, "redirects to")


def ends() -> Iterator[Row]:
    """Good answers that end early, at each stage and in each framing; closed, or reset."""
    framings = {
        "plain": (plain(GOOD_BODY, JSON_TYPE), SIZE),
        "in chunks": (chunked(GOOD_BODY), SIZE),
        "compressed": (plain(PACKED, GZIP), len(PACKED)),
        "until closed": (http(GOOD_BODY), SIZE),
    }
    for (framing, (whole, size)), then in itertools.product(framings.items(), (CLOSE, RESET)):
        head = whole.index(b"\r\n\r\n") + 4
        places = {
            "at once": 0,
            "in the status line": 9,
            "after the status line": whole.index(b"\r\n") + 2,
            "in a header": head - 10 if head > 40 else 12,
            "before the body": head,
            "in the body": head + size // 2,
            "in the last byte": len(whole) - 1,
        }
        if framing == "in chunks":
            places |= {"before the last chunk": len(whole) - 5, "in the last chunk": len(whole) - 2}
        for place, at in places.items():
            yield Row(f"{framing}, {then} {place}", ((whole[:at], then),), ERROR)


def lengths() -> Iterator[Row]:
    """What a length or an encoding says beside what comes."""
    for value in ("-1", f"-{SIZE}", f"+{SIZE}", f"{SIZE}.0", "1e3", "0x10", "", "all", f"{SIZE} B",
                  f"{SIZE}, {SIZE}", f"{SIZE}, {SIZE + 1}", "9" * 30, "\xb2",
                  f"0{'0' * 40}1"):  # fmt: skip
        yield Row(
            f"length {value!r}", (http(GOOD_BODY, f"Content-Length: {value}"),), ERROR, NOT_HTTP
        )
    yield Row("two lengths", (http(GOOD_BODY, LENGTH, "Content-Length: 3"),), ERROR, NOT_HTTP)
    yield Row("length 0", (http(GOOD_BODY, "Content-Length: 0"),), ERROR, NOT_JSON)
    yield Row("one too few", (http(GOOD_BODY, f"Content-Length: {SIZE - 1}"),), ERROR, NOT_JSON)
    yield Row("one too many", (http(GOOD_BODY, f"Content-Length: {SIZE + 1}"),), ERROR, EARLY)
    yield Row("far too many", (http(GOOD_BODY, "Content-Length: 99999999999"),), ERROR, EARLY)
    chunks = _chunk(b"%x")
    for name, body, *lines in (
        ("chunks and a length", chunks, CHUNKED, f"Content-Length: {len(chunks)}"),
        ("chunks and the length of the content", chunks, LENGTH, CHUNKED),
        ("a length and no chunks", GOOD_BODY, LENGTH, CHUNKED),
        ("chunks twice", chunks, CHUNKED, CHUNKED),
        ("chunked, chunked", chunks, "Transfer-Encoding: chunked, chunked"),
        ("chunks that are compressed", chunks, "Transfer-Encoding: gzip, chunked"),
        ("an encoding of no name", GOOD_BODY, "Transfer-Encoding: identity"),
        ("an encoding nearly chunked", GOOD_BODY, "Transfer-Encoding: xchunked"),
        ("an encoding of nothing", GOOD_BODY, "Transfer-Encoding:"),
    ):
        yield Row(name, (http(body, *lines),), ERROR, NOT_HTTP)
    yield Row("chunks by HTTP/1.0", (http(chunks, CHUNKED, version="HTTP/1.0"),), ERROR, NOT_HTTP)


def chunks() -> Iterator[Row]:
    """Chunks that are damaged."""
    for name, body in (
        ("no size", _chunk(b"")),
        ("a size of letters", _chunk(b"size")),
        ("a negative size", _chunk(b"-%x")),
        ("a size with a plus", _chunk(b"+%x")),
        ("a size with 0x", _chunk(b"0x%x")),
        ("a size with _", _chunk(b"0_%x")),
        ("a size after a blank", _chunk(b" %x")),
        ("a size beyond reason", _chunk(b"f" * 40)),
        ("no line's end after it", _chunk(b"%x", end=b"0\r\n\r\n")),
        ("other bytes after it", _chunk(b"%x", end=b"XX0\r\n\r\n")),
        ("more than its size", _chunk(b"%x" % (SIZE - 1))),
        ("an extension beyond reason", _chunk(b"%x;" + b"a" * 70_000)),
        ("a size that ends in CR", _chunk(b"%x").replace(b"\r\n", b"\r", 1)),
        ("none at all", GOOD_BODY + b"\n"),
    ):
        yield Row(f"a chunk with {name}", (http(body, CHUNKED),), ERROR, NOT_HTTP)
    for name, body in (
        ("less than its size", _chunk(b"%x" % (SIZE + 9))),
        ("nothing after it", _chunk(b"%x", end=b"\r\n")),
        ("no end of the trailers", _chunk(b"%x", end=b"\r\n0\r\nX: y\r\n")),
    ):
        yield Row(f"a chunk with {name}", (http(body, CHUNKED),), ERROR, EARLY)


def heads() -> Iterator[Row]:
    """Status lines and headers that are none, and too many of them."""
    for line in ("HTTP/0.9 200 OK", "HTTP/2.0 200 OK", "HTTP/1.2 200 OK", "HTTP/1.1 +200 OK",
                 "HTTP/1.1 0200 OK", "HTTP/1.1 2_00 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK",
                 "HTTP/1.1 OK", "HTTP/1.1 -200", "HTTP/1.1  200 OK", "HTTP/1.1\t200\tOK", "200 OK",
                 "http/1.1 200 OK", "ICY 200 OK", "RTSP/1.0 200 OK", "HTTP/1.1200 OK", "",
                 " HTTP/1.1 200 OK", "HTTP/1.1 200\rOK", "HTTP/1.1 \xb2\xb20 OK", "\0" * 20,
                 "SSH-2.0-OpenSSH_9.6", "220 mail.example ESMTP"):  # fmt: skip
        reply = f"{line}\r\n{LENGTH}\r\n\r\n".encode("latin-1") + GOOD_BODY
        yield Row(f"the line {line!r}", (reply,), ERROR, NOT_HTTP)
    yield Row("the body alone", (GOOD_BODY + b"\n",), ERROR, NOT_HTTP)
    yield Row("a page alone", (b"<html>\r\n\r\n</html>\r\n",), ERROR, NOT_HTTP)
    yield Row("TLS", (b"\x15\x03\x01\x00\x02\x02\x46\r\n",), ERROR, NOT_HTTP)
    yield Row("HTTP/2", (b"\x00\x00\x06\x04" + b"\0" * 11 + b"\n",), ERROR, NOT_HTTP)
    for name, line in {
        "no colon": "Broken",
        "a blank before the colon": f"Content-Length : {SIZE}",
        "no name": ": value",
        "a null": "X: a\0b",
        "a CR": f"X: a\rContent-Length: {SIZE}",
        "a length behind a line that is none": f"Broken\r\nContent-Length: {SIZE + 1}",
    }.items():
        yield Row(f"a header with {name}", (http(GOOD_BODY, line),), ERROR, NOT_HTTP)
    many = (f"X-{number}: y" for number in range(101))
    large = (f"X-{number}: {'y' * 60_000}" for number in range(9))
    for name, reply in (
        ("101 headers", plain(GOOD_BODY, *many)),
        ("headers that are too large", plain(GOOD_BODY, *large)),
        ("a header that is too long", plain(GOOD_BODY, "X: " + "y" * 70_000)),
        ("a reason that is too long", plain(GOOD_BODY, status="200 " + "y" * 70_000)),
        ("100 Continue, too often", http(status="100 Continue") * 20_000 + plain(GOOD_BODY)),
    ):
        yield Row(name, (reply,), ERROR, NOT_HTTP)
    for name, piece, first in (
        ("headers without an end", b"X: y\r\n" * 1000, b"HTTP/1.1 200 OK\r\n"),
        ("a header without an end", b"y" * 50_000, b"HTTP/1.1 200 OK\r\nX: "),
        ("100 Continue without an end", http(status="100 Continue") * 100, b""),
        ("trailers without an end", b"X: " + b"y" * 60_000 + b"\r\n",
         http(_chunk(b"%x")[:-2], CHUNKED)),
    ):  # fmt: skip
        yield Row(name, ((endless(piece, first=first), CLOSE),), ERROR, NOT_HTTP)


def compressions() -> Iterator[Row]:
    """Bodies whose compression is damaged, is none, or is another one."""
    for name, body, coding in (
        ("cut by 1", PACKED[:-1], "gzip"),
        ("cut by 8", PACKED[:-8], "gzip"),
        ("cut in the middle", PACKED[: len(PACKED) // 2], "gzip"),
        ("cut to its header", PACKED[:10], "gzip"),
        ("of another sum", PACKED[:-8] + b"\0" * 8, "gzip"),
        ("followed by more", PACKED + b"more", "gzip"),
        ("that is none", GOOD_BODY, "gzip"),
        ("once instead of twice", PACKED, "gzip, gzip"),
        ("cut inside another", gzip.compress(PACKED[:-6], mtime=0), "gzip, gzip"),
        ("nine times", GOOD_BODY, ", ".join(["gzip"] * 9)),
    ):
        yield Row(
            f"compressed, {name}",
            (plain(body, f"Content-Encoding: {coding}"),),
            ERROR,
            PACKED_BADLY,
        )
    for name, body, coding in (
        ("twice instead of once", gzip.compress(PACKED, mtime=0), "gzip"),
        ("and not said", PACKED, "identity"),
        ("said to be br", PACKED, "br"),
        ("by deflate", zlib.compress(GOOD_BODY), "deflate"),
        ("twice the document", PACKED + PACKED, "gzip"),
        ("nothing", gzip.compress(b"", mtime=0), "gzip"),
    ):
        yield Row(
            f"compressed, {name}", (plain(body, f"Content-Encoding: {coding}"),), ERROR, NOT_JSON
        )
    yield Row("a bomb", (lambda: plain(gzip_bomb(40), GZIP),), ERROR, "larger than 32 MiB")
    yield Row(
        "a bomb behind a redirect",
        (lambda: plain(gzip_bomb(40), GZIP, "Location: /x", status="302 x"),),
        ERROR,
        "larger than 32 MiB",
    )
    yield Row(
        "a body without an end",
        ((endless(b" " * 1_000_000, first=http()), CLOSE),),
        ERROR,
        "larger than 32 MiB",
    )


def documents() -> Iterator[Row]:
    """Bodies that are whole, and no answer or no good one."""
    good = GOOD_BODY.decode()
    no_json: dict[str, bytes] = {
        "empty": b"",
        "a page": b"<!doctype html><title>Sign in</title>",
        "cut": GOOD_BODY[:-1],
        "two documents": GOOD_BODY * 2,
        "two documents on two lines": GOOD_BODY + b"\n" + GOOD_BODY,
        "a key twice": good.replace('"count"', '"results": [], "count"').encode(),
        "a status twice": good.replace('"result": "P', '"result": "FAILED", "result": "P').encode(),
        "NaN": good.replace('"count": 1', '"count": NaN').encode(),
        "a comma too many": good.replace("]}", "],}").encode(),
        "single quotes": good.replace('"', "'").encode(),
        "a comment": b"// good\n" + GOOD_BODY,
        "UTF-16": good.encode("utf-16"),
        "UTF-32": good.encode("utf-32-le"),
        "Latin-1": good.replace("network", "r\xe9seau").encode("latin-1"),
        "a null behind": GOOD_BODY + b"\0",
        "too deep": b"[" * 200_000,
        "a prefix against scripts": b")]}',\n" + GOOD_BODY,
        "JSONP": b"f(" + GOOD_BODY + b")",
        "a stream of events": b"data: " + GOOD_BODY + b"\n\n",
    }
    for name, body in no_json.items():
        yield Row(f"body: {name}", (plain(body, JSON_TYPE),), ERROR, NOT_JSON)
    no_answer: dict[str, Any] = {
        "a list": [],
        "a text": "passed",
        "true": True,
        "an object of nothing": {},
        "results as an object": {"results": {}},
        "results of texts": {"results": ["passed"]},
        "no results": {"results": [], "count": 0},
        "more counted than there are": {**json.loads(GOOD_BODY), "count": 2, "results": []},
    }
    for name, value in no_answer.items():
        yield Row(f"body: {name}", (plain(json.dumps(value).encode()),), ERROR)
    yield Row("body: an error beside it", (plain(body_of(error_code="DRS.1")),), ERROR, "DRS.1")
    yield Row("body: of another task", (plain(body_of(task=OTHER)),), ERROR)
    yield Row("body: of no task", (plain(body_of(task="")),), ERROR)
    yield Row("body: a bad status", (plain(BLOCKED_BODY),), RED)
    yield Row("body: a status of no name", (plain(body_of("SEEMS_FINE")),), RED)
    yield Row("body: never at its end", (plain(RUNNING_BODY),), OPEN, argv=("--timeout", "60s"))


def caches() -> Iterator[Row]:
    """Good answers that are not of now."""
    for line in ("Age: 1", "Age: 0030", "Age: -1", "Age: 1.5", "Age: yes", "Age:", "Age: 0, 5",
                 "age: \xb2", "X-Cache: HIT", "X-Cache: Hit from cloudfront", "X-Cache: MISS, HIT",
                 "X-Cache: TCP_MEM_HIT", "X-Cache: RefreshHit from x", "CF-Cache-Status: STALE",
                 "X-Cache-Status: UPDATING", "X-Proxy-Cache: hit",
                 "Cache-Status: x; hit; ttl=9"):  # fmt: skip
        yield Row(f"cache: {line}", (plain(GOOD_BODY, line),), ERROR, CACHED)
    yield Row("cache: two ages", (plain(GOOD_BODY, "Age: 0", "Age: 9"),), ERROR, CACHED)
    yield Row("cache: a refusal", (plain(b"", "Age: 9", status="404 x"),), ERROR, CACHED)
    yield Row("cache: of an earlier end", (plain(RUNNING_BODY), plain(GOOD_BODY, "Age: 9")), ERROR)


def connections() -> Iterator[Row]:
    """What happens between the answers of one connection."""
    first = plain(RUNNING_BODY)
    good, bad = plain(GOOD_BODY), plain(BLOCKED_BODY)
    yield Row("an answer ahead of its question", ((first + good, KEEP), (bad, KEEP)), RED)
    yield Row("green: more behind it", ((good + bad, KEEP),), GREEN)
    padded = plain(RUNNING_BODY, "X: " + "y" * (8192 - len(plain(RUNNING_BODY, "X: "))))
    yield Row("ahead, behind a full buffer", ((padded + good, KEEP), (bad, KEEP)), RED)
    yield Row("ahead, behind chunks", ((chunked(RUNNING_BODY) + good, KEEP), (bad, KEEP)), RED)
    yield Row(
        "ahead, behind a status without a body",
        ((http(status="204 x") + good, KEEP),),
        ERROR,
    )
    yield Row(
        "closed, and more behind", ((plain(RUNNING_BODY, "Connection: close") + good), bad), RED
    )
    yield Row("bad after good ones were cut", (first, (b"", RESET), (b"", CLOSE)), ERROR)


ROWS: list[Row] = [
    row
    for kind in (
        green, statuses, ends, lengths, chunks, heads, compressions, documents, caches, connections
    )
    for row in kind()
]  # fmt: skip
