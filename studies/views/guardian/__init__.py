"""What a parent or guardian sees: the text, their own decision, the signed copies."""
