"""Run a command: lazy loading of commands, usage errors, shell completion, exit codes."""
