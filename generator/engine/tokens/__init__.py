"""Note events: the one vocabulary that every composer reads and writes."""
