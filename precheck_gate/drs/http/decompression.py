"""Undoes the compression of a body, in small pieces, and holds that the whole of it is there.

What requests has for it takes a body that was cut near its end, sum and length missing, for whole.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ACCEPTED", "Damaged", "unpacked"]

ACCEPTED = "gzip"
"""The one compression that is asked for."""

MAX_LAYERS = 5
_PIECE = 64 * 1024
_WITH_HEADER = 16 + zlib.MAX_WBITS


class Damaged(ValueError):
    """A compressed body is cut off, or is not what was compressed."""


def unpacked(chunks: Iterable[bytes], encoding: str) -> Iterable[bytes]:
    """Return a body as it was before its compression, however large that may be.

    Args:
        chunks: the body as it came.
        encoding: its ``Content-Encoding``; what is not known here is left as it came.

    Raises:
        Damaged: here or while the body is taken.
    """
    layers = [name.strip().lower() for name in encoding.split(",")]
    if len(layers) > MAX_LAYERS:
        raise Damaged(f"it was compressed {len(layers)} times")
    for name in reversed(layers):
        if name in ("gzip", "x-gzip"):
            chunks = _gunzip(chunks)
    return chunks


def _gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what one layer holds; a bomb comes in small pieces too."""
    member = None
    for chunk in chunks:
        rest = chunk
        while rest:
            member = member or zlib.decompressobj(_WITH_HEADER)
            yield _piece(member, rest)
            # A second member may follow, as RFC 1952 has it, and nothing else.
            rest = member.unused_data if member.eof else member.unconsumed_tail
            member = None if member.eof else member
    while member is not None and not member.eof:
        piece = _piece(member, b"")
        if not piece and not member.eof:
            raise Damaged("it ends early")
        yield piece


def _piece(member: zlib._Decompress, packed: bytes) -> bytes:
    try:
        return member.decompress(packed, _PIECE)
    except zlib.error as error:
        raise Damaged(str(error)) from None
