"""The mechanisms of a crisis, one a file, each with its source and its switch."""
