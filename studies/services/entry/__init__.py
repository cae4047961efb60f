"""How a participant comes in: invited, signed in, consenting."""
