"""An endpoint on loopback that stands in for DRS and IAM, to rehearse a pipeline against."""
