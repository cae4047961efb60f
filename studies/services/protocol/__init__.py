"""What is set up before the first person: the study, its people, its protocol, a rehearsal."""
