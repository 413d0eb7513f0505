"""Text that is safe to show: credentials masked, control characters and commands escaped."""
