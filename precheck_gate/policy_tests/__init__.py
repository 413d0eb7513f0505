"""Tests of policies: finding the files, judging their cases, comparing, and what was exercised."""
