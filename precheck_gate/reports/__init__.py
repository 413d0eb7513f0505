"""Reports: the verdict in one format each, one file per format, behind one small protocol."""
