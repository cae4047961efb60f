"""What happens on the way and must be acted upon."""
