"""The world model: one file per mechanism, and the day loop that runs them."""
