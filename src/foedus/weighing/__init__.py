"""What the runs are worth: evidence, its likelihood, and the weights of the runs."""
