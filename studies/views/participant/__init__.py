"""Pages of a participant, on a phone in a dark room."""
