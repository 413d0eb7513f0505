"""What the gate says to each CI system, checked by readers that act as the runner does."""
