"""The trial in order, one verb module a step of the protocol, grouped by what the step belongs to.

protocol/       setup.py (draft, open, close, unblind), versions.py, members.py, rehearsal.py
entry/          enrolment.py (code, private link), identity.py (who somebody is, under a key of
                their own), access.py (link and PIN), consent.py (publish a text, understand, give
                or refuse), guardians.py, majority.py (whose agreement it takes), copies.py (PDF)
visits/         scheduling.py (windows, calendar), assessment.py (begin, save, submit; eligibility),
                answers.py, correction.py
allocation.py   seal the sequence; give the next slot under lock; the only door to a person's arm
treatment.py    who is treated now, and with what
music/          preferences.py, playlists.py (tonight), nights.py and upkeep.py (what happens to
                a night), morning_diary.py, listening.py (minutes heard)
cbt/            course.py, lessons.py, diary.py, sleep_window.py (proposed, confirmed, moved once a
                week), messages.py (with the therapist, under seal), caseload.py
conduct/        reminders.py and reminder_mail.py (decided when they are sent), watching.py (safety
                rules), items.py (something somebody must do by a time), events.py (adverse events),
                deviations.py, queries.py, withdrawal.py (the intervention, the contact, the data)
planning/       plans.py (the analysis plan: draft, lock, deviations), proposal.py
results/        analysis.py (the outcomes page), jobs.py (claim, report, hand in), runs.py and
                exports.py (ask, cancel, sweep), analysing.py and exporting.py (the worker's part),
                export.py (one ZIP; its rows, formats and analysis in export_*.py)
closing/        locks.py (two people open one), signing.py, unblinding.py (one person, never
                quietly), contacts.py (erased on their day), archive.py, code_version.py
trail/          audit.py (who changed what, from what to what, and why; the chain and its proof),
                audit_heads.py
demonstration/  trial.py, mornings.py, skills.py: made-up people who walk through all of the above

Every step locks its row, reads it again, checks that the move exists, writes, and records the audit
entry last, in one transaction. Groups lean on each other one way only: protocol and conduct on
the rest, cbt on music, music on allocation, allocation on visits, everything on the trail.
"""
