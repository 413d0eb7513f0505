"""The process: clock, console, signals, and bounded reading of files."""
