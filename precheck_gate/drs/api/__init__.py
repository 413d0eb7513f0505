"""The APIs of DRS, one module per version."""
