"""The CI systems: action.yml and the examples are valid, and really stop a migration."""
