"""HTTP for DRS: one bounded exchange, its faults, and its retries."""
