"""A gate with credentials of every kind, and a service."""

from __future__ import annotations

from tests.support.credentials import (
    by_github,
    clock,
    environment,
    gate,
    key,
    serve,
    temporary_key,
    user,
)

__all__ = ["by_github", "clock", "environment", "gate", "key", "serve", "temporary_key", "user"]
