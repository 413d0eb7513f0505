"""A run against the service: connection, polling, and messages to the user."""
