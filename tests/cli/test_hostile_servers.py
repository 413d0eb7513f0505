"""A server that does whatever a server can do wrong: nothing of it is ever green by accident."""

from __future__ import annotations

import contextlib
import gc
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.fault_rows import ROWS, Row
from tests.support.servers import HostileServer, exchange_threads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.gate import Gate


def sockets() -> int:
    """Return how many sockets this process has open."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        # The one that was open to list them is gone.
        with contextlib.suppress(FileNotFoundError):
            count += str(descriptor.readlink()).startswith("socket:")
    return count


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """Run a server for all rows, and see that nothing is left of their connections."""
    countable = Path("/proc/self/fd").exists()
    with HostileServer() as running:
        gc.collect()
        before = sockets() if countable else 0
        yield running
        assert exchange_threads() == []
        # Connections that are kept for further requests end with what keeps them.
        gc.collect()
        assert running.left_alone(ever=True)
        if countable:
            assert sockets() <= before


def play(server: HostileServer, row: Row) -> None:
    server.play(*(reply() if callable(reply) else reply for reply in row.replies))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_fault_has_its_exit_code(gate: Gate, server: HostileServer, row: Row) -> None:
    play(server, row)
    # What holds for every run is checked there: no 70, no trace, no token, reports that agree.
    limits = ("--grace", "0s", "--timeout", "8s", "--interval", "1s")
    outcome = gate.run(server.url, *limits, *row.argv)
    assert outcome.code == row.code, outcome.text
    outcome.says(row.says)
    if row.code == 4:
        outcome.says("next: ")
        outcome.reports(row.says)
    assert exchange_threads() == []


def test_the_table_covers_what_it_is_for() -> None:
    assert len(ROWS) >= 184
    assert not [name for name, count in Counter(row.name for row in ROWS).items() if count > 1]
    assert all(row.name.startswith("green: ") == (row.code == 0) for row in ROWS)
