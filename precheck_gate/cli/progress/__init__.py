"""What is told while the gate waits: lines for a log, or a live table on a terminal."""
