"""A gate and a service for the API clients."""

from __future__ import annotations

from tests.support.gate import clock, environment, gate, serve

__all__ = ["clock", "environment", "gate", "serve"]
