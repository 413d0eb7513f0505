"""Polling: whom to ask when, and what is known of each task at the end."""
