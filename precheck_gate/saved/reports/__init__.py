"""JSON reports that are read back: baseline and comparison."""
