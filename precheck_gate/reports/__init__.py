"""Reports: the verdict in one format per module, and the sinks that they go to."""
