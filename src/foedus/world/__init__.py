"""What may happen: one mechanism a file, and the day loop that runs them."""
