"""Reading what users hand in: the bounds of one read."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from precheck_gate.errors import Interrupted
from precheck_gate.runtime.process import Interrupts
from precheck_gate.runtime.reading import (
    TooLarge,
    read_before,
    read_descriptor,
    read_file,
    reads_end_with,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe; the writing one may be closed by the test."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    if os.path.exists(f"/proc/self/fd/{writer}"):  # noqa: PTH110  # no file, a descriptor
        os.close(writer)


@pytest.mark.parametrize("size", [0, 1, 9, 10])
def test_a_file_of_up_to_the_bound_is_read_whole(tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(b"x" * size)
    assert read_file(tmp_path / "file", 10) == b"x" * size


@pytest.mark.parametrize(("bound", "said"), [(64 << 10, "64 KiB"), (16 << 20, "16 MiB")])
def test_a_file_beyond_the_bound_is_refused_whatever_it_is(
    tmp_path: Path, bound: int, said: str
) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(bound + 1)
    with pytest.raises(TooLarge, match=f"it is larger than {said}"):
        read_file(tmp_path / "file", bound)


def test_a_pipe_is_read_to_its_end_and_stays_open(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"abc")
    os.close(writer)
    assert read_descriptor(reader, 3) == b"abc"
    os.fstat(reader)


def test_a_pipe_beyond_the_bound_is_refused_before_its_end(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"abcd")
    with pytest.raises(TooLarge):
        read_descriptor(reader, 3)


def test_a_pipe_that_does_not_end_is_given_up_after_the_time_that_is_given(
    pipe: tuple[int, int],
) -> None:
    os.write(pipe[1], b"abc")
    with pytest.raises(OSError, match="it did not end within 0 s"):
        read_descriptor(pipe[0], 10, seconds=0.01)


def test_the_limit_of_everything_holds_for_each_read(pipe: tuple[int, int]) -> None:
    with read_before(0.01), read_before(60), pytest.raises(OSError, match="did not end"):
        read_descriptor(pipe[0], 10, seconds=60)


def test_the_limit_ends_with_its_block(pipe: tuple[int, int]) -> None:
    with read_before(0):
        pass
    os.close(pipe[1])
    assert read_descriptor(pipe[0], 10) == b""


def test_a_signal_that_came_before_ends_the_read(pipe: tuple[int, int]) -> None:
    interrupts = Interrupts()
    interrupts.received = signal.SIGTERM
    with reads_end_with(interrupts), pytest.raises(Interrupted):
        read_descriptor(pipe[0], 10)


def test_a_signal_does_not_keep_a_regular_file_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    interrupts = Interrupts()
    interrupts.received = signal.SIGTERM
    with reads_end_with(interrupts), read_before(0):
        assert read_file(tmp_path / "file", 10) == b"x"


def test_a_pipe_is_kept_only_where_that_is_asked_for(pipe: tuple[int, int], tmp_path: Path) -> None:
    named = tmp_path / "pipe"
    named.symlink_to(f"/proc/self/fd/{pipe[0]}")
    os.write(pipe[1], b"secret")
    os.close(pipe[1])
    assert read_file(named, 10) == b"secret"
    assert read_file(named, 10) == b""


def test_a_pipe_that_is_kept_gives_the_same_again(pipe: tuple[int, int], tmp_path: Path) -> None:
    named = tmp_path / "pipe"
    named.symlink_to(f"/proc/self/fd/{pipe[0]}")
    os.write(pipe[1], b"policy")
    os.close(pipe[1])
    assert [read_file(named, 10, keep=True) for _ in range(2)] == [b"policy"] * 2
    with pytest.raises(TooLarge):
        read_file(named, 5, keep=True)
