"""Running simulators, and plain clients for them."""

from __future__ import annotations

from tests.support.simulation import clock, simulate

__all__ = ["clock", "simulate"]
