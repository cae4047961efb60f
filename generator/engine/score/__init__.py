"""Music as integers on a grid: notes, parts, scores, and the only place that converts time."""
