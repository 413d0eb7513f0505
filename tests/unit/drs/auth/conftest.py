"""Credentials of every kind, and a gate that watches over them."""

from __future__ import annotations

from tests.support.credentials import by_github, environment, gate, key, temporary_key, user

__all__ = ["by_github", "environment", "gate", "key", "temporary_key", "user"]
