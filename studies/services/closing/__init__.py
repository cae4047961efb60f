"""Ending a trial: locks, signatures, unblinding, erasure of contacts, the archive, the proof."""
