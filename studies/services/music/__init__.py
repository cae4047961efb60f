"""The music arms: taste, tonight, the morning after, minutes heard."""
