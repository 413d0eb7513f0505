"""Reports for code scanning: SARIF and code quality."""
