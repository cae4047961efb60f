"""Part of the trial."""
