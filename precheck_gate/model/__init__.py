"""The values that the layers share: snapshots, findings and verdicts."""
