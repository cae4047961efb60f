"""Composers: a brief goes in, a score comes out; all share one form and one set of guards."""
