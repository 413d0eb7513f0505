"""What a run saved, read back: answers of the service, and JSON reports."""
