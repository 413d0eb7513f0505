"""Read JSON and YAML documents strictly, and validate them."""
