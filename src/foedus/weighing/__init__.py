"""The weights of the runs: evidence, its likelihood, and the verdict."""
