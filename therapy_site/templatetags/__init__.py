"""What templates of the shell may call."""
