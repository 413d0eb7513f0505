"""A run against the service: connection, polling, and what the user sees."""
