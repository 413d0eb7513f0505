"""Judge what the service said by the policy."""
