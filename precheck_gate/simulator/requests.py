"""A request as the simulated service gets it. Knows no socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; the names of ``headers`` are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def credential(self) -> str:
        """The kind of credential that it carries: ``token``, ``signature`` or ``none``."""
        if "x-auth-token" in self.headers:
            return "token"
        return "signature" if "authorization" in self.headers else "none"
