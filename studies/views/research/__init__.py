"""Pages of those who design the trial and read its results."""
