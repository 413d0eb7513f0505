"""A gate and a service whose answers are saved."""

from __future__ import annotations

from tests.support.gate import clock, environment, gate, serve

__all__ = ["clock", "environment", "gate", "serve"]
