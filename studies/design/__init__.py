"""Trial methodology as pure functions: no Django, no database, no clock below this line.

protocol.py       the plan of a study as data, and the template with four arms
randomisation.py  the concealed sequence: stratified permuted blocks of random size
windows.py        visit windows in the participant's own time zone
eligibility.py    who may take part, with reasons
states.py         which moves of a study, a participant and an assessment exist
pseudonyms.py     participant codes with a check character
sealing.py        encryption of identities and of the allocation seed
lessons.py        the lessons of the CBT arm, read from files
texts.py          the consent text that a new study starts with
"""
