"""Compressed bodies: what is whole is read, however it comes; what is cut or changed never is."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from precheck_gate.drs.http.connections import Damaged, unpacked
from tests.support.harness import body, entry
from tests.support.servers import gzip_bomb

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = body(entry())
PACKED = gzip.compress(CONTENT, mtime=0)


def read(packed: bytes, encoding: str = "gzip", size: int = 64 * 1024) -> bytes:
    chunks = (packed[at : at + size] for at in range(0, len(packed), size))
    return b"".join(unpacked(chunks, encoding))


@given(st.binary(max_size=2000), st.integers(1, 50), st.integers(0, 3))
def test_what_was_compressed_is_read_however_it_is_cut_into_chunks(
    content: bytes, size: int, layers: int
) -> None:
    packed = content
    for _ in range(layers):
        packed = gzip.compress(packed, mtime=0)
    assert read(packed, ", ".join(["gzip"] * layers), size) == content


def test_members_that_follow_each_other_are_one_body() -> None:
    assert read(PACKED + PACKED, size=7) == CONTENT * 2


@pytest.mark.parametrize("size", [1, 7, 64 * 1024])
def test_a_body_that_was_cut_anywhere_is_damaged(size: int) -> None:
    for end in range(1, len(PACKED)):
        with pytest.raises(Damaged):
            read(PACKED[:end], size=size)


@given(st.integers(10, len(PACKED) - 1), st.integers(1, 255))
@example(len(PACKED) - 9, 8)
def test_a_body_that_was_changed_is_damaged_or_still_the_same(at: int, by: int) -> None:
    changed = bytearray(PACKED)
    changed[at] ^= by
    # The last bits before the checksum may be padding.
    with contextlib.suppress(Damaged):
        assert read(bytes(changed)) == CONTENT


@pytest.mark.parametrize("more", [b"\0", b"more", PACKED[:12], PACKED[:-6]])
def test_nothing_but_a_whole_body_may_follow(more: bytes) -> None:
    with pytest.raises(Damaged):
        read(PACKED + more)


@pytest.mark.parametrize("encoding", ["", "identity", "br", "odd", " , "])
def test_what_is_not_known_is_left_as_it_came(encoding: str) -> None:
    assert read(PACKED, encoding) == PACKED


def test_layers_without_end_are_not_undone() -> None:
    with pytest.raises(Damaged, match="6 times"):
        read(PACKED, "gzip, gzip, gzip, gzip, gzip, gzip")


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_comes_in_small_pieces(layers: int) -> None:
    packed = gzip_bomb(150)
    if layers == 2:
        packed = gzip.compress(packed, mtime=0)

    def bounded(pieces: Iterator[bytes]) -> int:
        total = 0
        for piece in pieces:
            total += len(piece)
            if total > 32 * 1024 * 1024:
                break
        return total

    tracemalloc.start()
    try:
        assert bounded(iter(unpacked([packed], ", ".join(["gzip"] * layers)))) > 32 * 1024 * 1024
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()
