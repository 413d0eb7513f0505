"""Find mistakes in a policy that is valid."""
