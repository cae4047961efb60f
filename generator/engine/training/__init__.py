"""Training and measuring of composers; runs offline, never reached by a request."""
