"""The service: its wire format, its calls, its endpoints and credentials."""
