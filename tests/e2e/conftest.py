"""A gate, a service for it to ask, and a clean environment around both."""

from __future__ import annotations

from tests.support.gate import clock, environment, gate, serve, serve_now, simulate

__all__ = ["clock", "environment", "gate", "serve", "serve_now", "simulate"]
