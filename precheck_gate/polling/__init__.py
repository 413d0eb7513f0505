"""Polling: start pre-checks, ask for their results, and keep what is known of each task."""
