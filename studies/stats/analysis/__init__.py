"""The plan applied to the table: every estimate as one record."""
