"""The read side of the trial: rows for pages, arrays for statistics; nothing here writes."""
