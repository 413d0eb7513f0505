"""The fixtures of the end-to-end tests, for these as well."""

from __future__ import annotations

from tests.e2e.conftest import clock, environment, gate, serve

__all__ = ["clock", "environment", "gate", "serve"]
