"""The ways to say who asks: where each is found, how it is used, and when it is renewed."""
