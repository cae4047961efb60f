"""The trial in order, one verb module a step of the protocol.

setup.py         draft, open, close and unblind a study; who works on it
enrolment.py     invite a participant: code, contact under seal, private link
access.py        the private link and its PIN
consent.py       publish a text, give or refuse consent
scheduling.py    plan visits with their windows; keep the calendar
assessment.py    begin, save, submit an instrument inside its window; decide eligibility
preferences.py   which music a participant likes
allocation.py    seal the sequence; give the next slot under lock; the only door to a person's arm
playlists.py     tonight's music for a music arm
listening.py     minutes that were really heard
course.py        the course of lessons a study pins, and its amendments
cbt.py           lessons: which is open, how far, what was answered, minutes spent
diary.py         the sleep diary of a morning
sleep_window.py  the sleep window: proposed, confirmed, moved once a week
messages.py      between participant and therapist, under seal
caseload.py      what a therapist sees, and how much of the treatment was taken
withdrawal.py    stop the intervention, the contact, or the use of the data
analysis.py      from rows to one report
export.py        items, scores, results, listening, dictionary and checksums in one ZIP
audit.py         who changed what, from what to what, and why; the chain and its proof

Every step locks its row, reads it again, checks that the move exists, writes, and records the audit
entry last, in one transaction.
"""
