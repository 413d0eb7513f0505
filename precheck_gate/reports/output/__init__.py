"""Write reports to files, streams and pipes."""
