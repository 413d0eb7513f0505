"""Read policies and decide what each item of a pre-check means for the gate."""
