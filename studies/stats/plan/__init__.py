"""The analysis plan as data, how it is read, and the table it is applied to."""
