"""The JUnit XML report."""
