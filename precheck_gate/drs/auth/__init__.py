"""Credentials: one module for each kind, which finds it, uses it and renews it."""
