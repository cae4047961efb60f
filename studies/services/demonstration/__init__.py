"""Made-up people for demonstrations, labelled synthetic everywhere."""
