"""Keep report text aside until what stands above it is known."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["copy_spool", "open_spool"]


@contextlib.contextmanager
def open_spool() -> Iterator[TextIO]:
    """Yield a place for text that is written before what has to stand above it is known."""
    with tempfile.SpooledTemporaryFile(
        max_size=1024 * 1024, mode="w+", encoding="utf-8", newline="\n"
    ) as spool:
        yield spool  # type: ignore[misc]  # typeshed: it is a TextIO in all but name


def copy_spool(spool: TextIO, out: TextIO) -> None:
    """Append the whole content of ``spool`` to ``out``."""
    spool.seek(0)
    shutil.copyfileobj(spool, out)
