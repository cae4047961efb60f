"""What stands in the way of a step of the protocol; `code` is stable, the message is for staff.

Participants never read these messages: their pages say what to do next in calm words.
"""

from collections.abc import Sequence
from datetime import datetime


class StudyError(Exception):
    """Base of all refusals by the trial."""

    code = "study"


class ClockIsFixed(StudyError):
    """A real study runs on the real clock."""

    code = "clock_fixed"

    def __init__(self) -> None:
        super().__init__(
            "the clock moves in demonstration and test modes only, and this installation is real. "
            "Start one with ./run demo."
        )


class MoveRefused(StudyError):
    """A state cannot follow another (the message names both)."""

    code = "move_refused"


class SentAlready(StudyError):
    """A form came a second time."""

    code = "sent_already"

    def __init__(self) -> None:
        super().__init__(
            "a form that was not sent yet was expected, got the same one again. Nothing was added."
        )


# --- Setting up -------------------------------------------------------------------------------


class ProtocolRefused(StudyError):
    """A protocol contradicts itself (the message is the design's)."""

    code = "protocol_refused"

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        self.faults = tuple(faults) or (message,)
        super().__init__(message)


class AmendmentRefused(StudyError):
    """A version of a protocol cannot be kept, submitted or brought into force."""

    code = "amendment_refused"

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(f"the protocol cannot be amended: {'; '.join(reasons)}.")


class ListRefused(StudyError):
    """A randomisation list does not fit the study."""

    code = "list_refused"

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"the list does not fit: {'; '.join(faults)}.")


class SequenceSealed(StudyError):
    """The seeds stay under seal until the study is unblinded."""

    code = "sequence_sealed"

    def __init__(self, study: str, state: str) -> None:
        super().__init__(
            f"an unblinded study was expected, got {study}, which is {state}. "
            "Its seeds stay under seal until then."
        )


class StudyNotReady(StudyError):
    """A study cannot open, or close, yet."""

    code = "study_not_ready"

    def __init__(self, study: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(f"study {study} is not ready: {'; '.join(reasons)}.")


class StudyNotOpen(StudyError):
    """A step needs an open study."""

    code = "study_not_open"

    def __init__(self, study: str, state: str) -> None:
        self.state = state
        super().__init__(
            f"an open study was expected, got {study}, which is {state}. Open it first."
        )


class LockRefused(StudyError):
    """Something cannot be locked, or a lock not opened."""

    code = "lock_refused"

    def __init__(self, got: str) -> None:
        super().__init__(
            "a lock on what is done with, opened by a second person, was expected, got one for "
            f"{got}. Look at the page of locks."
        )


class UnlockAsked(StudyError):
    """Arms cannot become known while somebody wants the database opened again."""

    code = "unlock_asked"

    def __init__(self, study: str) -> None:
        super().__init__(
            "a locked database that nobody asks to open was expected, got a question that waits in "
            f"{study}. Answer it first: once arms are known, no database is opened again."
        )


class LooseEndsLeft(StudyError):
    """A database cannot be locked while something is open that nobody gave a reason for."""

    code = "loose_ends_left"

    def __init__(self, study: str, left: Sequence[str]) -> None:
        self.left = tuple(left)
        super().__init__(
            f"a database with nothing open, or a reason for each kind that is, was expected, got "
            f"{study} with {', '.join(left) or 'a list that changed'}. Settle them, or look again "
            "and say why they stay open."
        )


class DatabaseLocked(StudyError):
    """Nothing of a study may be edited any more."""

    code = "database_locked"

    def __init__(self, study_code: str, state: str) -> None:
        super().__init__(
            f"a study whose data may change was expected, got {study_code}, which is {state}. "
            "Two people can open its lock for as long as no arm is known."
        )


class ReviewRefused(StudyError):
    """A review of the trail goes beyond it, or not beyond the one before."""

    code = "review_refused"

    def __init__(self, up_to: int, last: int) -> None:
        super().__init__(
            f"a review up to an entry after number {last} was expected, got one up to {up_to}. "
            "Read the trail from the last review on, then sign it."
        )


class InterimRefused(StudyError):
    """A study takes no interim look before its opening or after unblinding."""

    code = "interim_refused"

    def __init__(self, study: str, state: str) -> None:
        super().__init__(
            f"study {study} between opening and unblinding was expected, got one that is {state}. "
            "Analyse an unblinded study by its plan."
        )


class ApprovalRefused(StudyError):
    """A site's approval cannot be recorded like that."""

    code = "approval_refused"

    def __init__(self, got: str) -> None:
        super().__init__(
            "an approval of a submitted protocol, with its reference and a day that has come, was "
            f"expected, got {got}. Take both from the letter."
        )


class SiteNotApproved(StudyError):
    """A site has not approved the version of the protocol that is in force."""

    code = "site_not_approved"

    def __init__(self, site: str, version: int) -> None:
        super().__init__(
            f"site {site}'s approval of version {version} was expected, got none. Record it on the "
            "page of sites."
        )


class HarmsRefused(StudyError):
    """Harms are asked about once at each visit that has opened, baseline left out."""

    code = "harms_refused"

    def __init__(self, got: str) -> None:
        super().__init__(
            "a visit after baseline that has opened and has no answer yet was expected, got one of "
            f"{got}. What happens besides is reported as an adverse event."
        )


class NothingToSign(StudyError):
    """A signature stands under something."""

    code = "nothing_to_sign"

    def __init__(self, participant: str) -> None:
        super().__init__(
            f"answers that were handed in were expected, {participant} has none. Sign them later."
        )


class NotAllocated(StudyError):
    """Somebody without an arm cannot be unblinded."""

    code = "not_allocated"

    def __init__(self, participant: str) -> None:
        super().__init__(
            f"an allocated participant was expected, got {participant}, who has no arm. "
            "There is nothing to unblind."
        )


class ErasureRefused(StudyError):
    """Contacts cannot be erased on that day, or in this way, or are erased already."""

    code = "erasure_refused"


class ReasonMissing(StudyError):
    """A step that cannot be taken back wants a reason."""

    code = "reason_missing"

    def __init__(self, step: str) -> None:
        super().__init__(f"a reason was expected for: {step}; got none. Write one sentence.")


class RoleRefused(StudyError):
    """A role would give somebody what they must not have."""

    code = "role_refused"


class RoleOfOnesOwn(RoleRefused):
    """Nobody gives roles to themselves."""

    code = "role_of_ones_own"

    def __init__(self, role: str) -> None:
        super().__init__(
            f"somebody else's account was expected for the role {role}, got the actor's own. "
            "Ask another member of the study to give it."
        )


class RolesExclude(RoleRefused):
    """Who may know of a future slot does nothing that such knowledge would bend."""

    code = "roles_exclude"

    def __init__(self, role: str, held: Sequence[str]) -> None:
        self.held = tuple(held)
        super().__init__(
            f"an account without {', '.join(held)} was expected for the role {role}, got one that "
            "has it. Revoke that role first, or choose another account."
        )


class SiteUnknown(StudyError):
    """Not a site of this study, or not one at which the actor works."""

    code = "site_unknown"

    def __init__(self, study: str, site: object) -> None:
        super().__init__(f"a site of {study} was expected, got {site}. Choose one of its sites.")


# --- Private links ----------------------------------------------------------------------------


class LinkRefused(StudyError):
    """A private link leads nowhere (any more)."""

    code = "link_refused"


class LinkUnknown(LinkRefused):
    """No link has this token."""

    code = "link_unknown"

    def __init__(self) -> None:
        super().__init__("a private link was expected, got an unknown one. Issue a new link.")


class LinkRevoked(LinkRefused):
    """The link was replaced or withdrawn."""

    code = "link_revoked"

    def __init__(self) -> None:
        super().__init__("a live link was expected, got a revoked one. Issue a new link.")


class LinkExpired(LinkRefused):
    """No PIN was set in time."""

    code = "link_expired"

    def __init__(self, due_at: datetime) -> None:
        self.due_at = due_at
        super().__init__(
            f"a PIN was expected by {due_at:%Y-%m-%d %H:%M} UTC, got none. Issue a new link."
        )


class LinkLocked(StudyError):
    """Too many wrong PINs."""

    code = "link_locked"

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(
            f"the link is locked until {until:%Y-%m-%d %H:%M} UTC after too many wrong PINs. "
            "Wait, or issue a new link."
        )


class PinWrong(StudyError):
    """Not this link's PIN."""

    code = "pin_wrong"

    def __init__(self, attempts_left: int) -> None:
        self.attempts_left = attempts_left
        super().__init__(f"the link's PIN was expected, got another; {attempts_left} tries left.")


class PinAlreadySet(StudyError):
    """The link has a PIN; it is set once."""

    code = "pin_already_set"

    def __init__(self) -> None:
        super().__init__("a link without a PIN was expected, got one that has it. Sign in with it.")


class PinNotSet(StudyError):
    """The link has no PIN yet."""

    code = "pin_not_set"

    def __init__(self) -> None:
        super().__init__("a link with a PIN was expected, got one without. Set a PIN first.")


class PinTooSimple(StudyError):
    """The PIN is the first that anybody would try, or no PIN at all."""

    code = "pin_too_simple"

    def __init__(self) -> None:
        super().__init__(
            "six digits that are no run and no repetition were expected. Choose another PIN."
        )


# --- Enrolment and consent --------------------------------------------------------------------


class NotEligible(StudyError):
    """A rule of the protocol stands in the way."""

    code = "not_eligible"

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(f"not eligible: {'; '.join(reasons)}.")


class LanguageUnknown(StudyError):
    """The site does not speak this language."""

    code = "language_unknown"

    def __init__(self, language: str, known: Sequence[str]) -> None:
        super().__init__(f"a language of {', '.join(known)} was expected, got {language!r}.")


class IdentityErased(StudyError):
    """Nobody knows any more who a participant is."""

    code = "identity_erased"

    def __init__(self, participant: str) -> None:
        super().__init__(
            f"a participant whose identity is kept was expected, got {participant}, whose identity "
            "was erased. It cannot be brought back."
        )


class ContactNotMailable(StudyError):
    """A code cannot be mailed to a telephone."""

    code = "contact_not_mailable"

    def __init__(self, participant: str) -> None:
        super().__init__(
            f"an email address as the contact of {participant} was expected, got another contact. "
            "Say the code on the telephone instead."
        )


class ScreeningMissing(MoveRefused):
    """Nobody is asked for consent before the protocol's screening was answered."""

    code = "screening_missing"

    def __init__(self, code: str) -> None:
        super().__init__(
            f"answers to the screening questions were expected for {code}, got none. "
            "Answer them first."
        )


class ScreeningRefused(StudyError):
    """Screening answers that are not complete, or not wanted now."""

    code = "screening_refused"

    def __init__(self, code: str, got: str) -> None:
        super().__init__(
            f"an answer to every screening question of {code}, once, was expected, got {got}. "
            "Nothing was changed."
        )


class CopyMailRefused(StudyError):
    """A signed copy that is neither mailed again nor handed over now."""

    code = "copy_mail_refused"

    def __init__(self, state: str) -> None:
        super().__init__(
            "a copy for somebody who takes part and that is not just being mailed was expected, "
            f"got one that is {state}. Nothing was changed."
        )


class ContactCodeRefused(StudyError):
    """Not the code that was sent, or not in time."""

    code = "contact_code_refused"

    def __init__(self, got: str) -> None:
        super().__init__(
            f"the latest code, within ten minutes, was expected, got {got}. Ask for a new one."
        )


class ConsentOutdated(StudyError):
    """Not the text that this participant is asked to agree to."""

    code = "consent_outdated"

    def __init__(self) -> None:
        super().__init__(
            "the study's current consent text was expected, got another. Reload the page."
        )


class ConsentNotUnderstood(StudyError):
    """Nobody agrees to a text before they have shown that they understood it."""

    code = "consent_not_understood"

    def __init__(self, n_questions: int) -> None:
        super().__init__(
            f"right answers to all {n_questions} questions on the consent text were expected, got "
            "fewer. Read the pages again and answer the questions."
        )


class GuardianNotNeeded(StudyError):
    """There is nothing that a guardian could permit."""

    code = "guardian_not_needed"

    def __init__(self, participant: str, obstacle: str) -> None:
        super().__init__(
            f"a participant under age who takes part was expected, got {participant}, who "
            f"{obstacle}. Nothing was changed."
        )


# --- Assessments ------------------------------------------------------------------------------


class OutsideWindow(StudyError):
    """The visit's window is not open yet."""

    code = "outside_window"

    def __init__(self, opens_at: datetime) -> None:
        self.opens_at = opens_at
        super().__init__(
            f"the visit's window opens at {opens_at:%Y-%m-%d %H:%M} UTC, which is still to come. "
            "Come back then."
        )


class AssessmentClosed(StudyError):
    """Nothing more can be entered."""

    code = "assessment_closed"

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(f"an open assessment was expected, got one that is {state}.")


class DecliningNotAllowed(StudyError):
    """The protocol needs an answer here."""

    code = "declining_not_allowed"

    def __init__(self, instrument: str, week: int) -> None:
        super().__init__(
            f"an answer to {instrument} in week {week} was expected, got none by choice. "
            "Answer it, or stop here."
        )


class CorrectionNotAllowed(StudyError):
    """Answers stay as they are now."""

    code = "correction_not_allowed"

    def __init__(self, obstacle: str) -> None:
        super().__init__(
            f"answers that may still be corrected were expected, got {obstacle}. "
            "Write a note to file instead."
        )


class ZoneUnknown(StudyError):
    """The time zone database has no such place."""

    code = "zone_unknown"

    def __init__(self, zone: str) -> None:
        super().__init__(
            f"a place of the time zone database was expected, like Asia/Shanghai, got {zone!r}. "
            "Choose one from the list."
        )


class PaperRefused(StudyError):
    """A paper form cannot be entered (`code` says why, the message is for staff)."""

    def __init__(self, code: str, expected: str, got: str) -> None:
        self.code = code
        super().__init__(f"{expected} was expected, got {got}. Nothing was entered.")


# --- Allocation -------------------------------------------------------------------------------


class AlreadyAllocated(StudyError):
    """The participant has an arm; pressing twice changes nothing."""

    code = "already_allocated"

    def __init__(self, participant: str) -> None:
        super().__init__(f"participant {participant} is already allocated. Nothing was changed.")


class NotReadyForAllocation(StudyError):
    """Something has to come first."""

    code = "not_ready_for_allocation"

    def __init__(self, participant: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(f"participant {participant} cannot be allocated: {'; '.join(reasons)}.")


class AllocationExhausted(StudyError):
    """Every slot of the stratum is used."""

    code = "no_slot"

    def __init__(self, stratum: str, n_slots: int) -> None:
        self.stratum = stratum
        super().__init__(
            f"stratum {stratum!r} has no free slot ({n_slots} of {n_slots} used). "
            "Ask the trial's statistician for a longer sequence."
        )


# --- Evenings and mornings --------------------------------------------------------------------


class NotInTreatment(StudyError):
    """The participant gets nothing tonight: not allocated, stopped, or through."""

    code = "not_in_treatment"

    def __init__(self, participant: str, state: str) -> None:
        super().__init__(
            f"an allocated participant in treatment was expected, got {participant}, {state}."
        )


class NoMusicInThisArm(StudyError):
    """The arm has lessons, not music."""

    code = "no_music"

    def __init__(self) -> None:
        super().__init__("a music arm was expected, got one with lessons. Show the lessons.")


class NoLessonsInThisArm(StudyError):
    """The arm has music, not lessons."""

    code = "no_lessons"

    def __init__(self) -> None:
        super().__init__("an arm with lessons was expected, got a music arm. Show tonight's music.")


class PreferenceRefused(StudyError):
    """A stated taste is outside what can be composed."""

    code = "preference_refused"

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(f"expected {expected}, got {got!r}. Choose again.")


class NightUnknown(StudyError):
    """Not one of this participant's nights."""

    code = "night_unknown"

    def __init__(self) -> None:
        super().__init__("one of the participant's own nights was expected, got another.")


class RendererUnreadable(StudyError):
    """The installation names a renderer that nobody can read."""

    code = "renderer_unreadable"

    def __init__(self, got: str) -> None:
        super().__init__(
            "NOCTURNE_RENDERER_PIN as a pin printed by manage.py audio_doctor --json was expected, "
            f"got one that cannot be read ({got}). Correct it, or leave it empty."
        )


class EngineMissing(StudyError):
    """The installation names an engine of the composers that is not installed."""

    code = "engine_missing"

    def __init__(self, got: str) -> None:
        super().__init__(f"NOCTURNE_ENGINE as an engine of this machine was expected: {got}")


class ListeningRefused(StudyError):
    """What the player reported makes no sense."""

    code = "listening_refused"

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(f"expected {expected}, got {got!r}. Reload the player.")


class LessonLocked(StudyError):
    """The lesson is not open to this participant yet."""

    code = "lesson_locked"

    def __init__(self, lesson: str) -> None:
        super().__init__(f"an open lesson was expected, got {lesson!r}. Finish the one before it.")


class LessonUnfinished(StudyError):
    """Cards or the exercise are still to come."""

    code = "lesson_unfinished"

    def __init__(self, missing: str) -> None:
        super().__init__(f"the lesson is not finished: {missing}.")


class DiaryNotOpen(StudyError):
    """The diary of that morning cannot be written now."""

    code = "diary_not_open"

    def __init__(self, first: object, last: object, got: object) -> None:
        super().__init__(f"a morning from {first} to {last} was expected, got {got}.")


class StillToCome(StudyError):
    """A diary says that something has happened that is still to come."""

    code = "still_to_come"

    def __init__(self, item: str, now: object) -> None:
        super().__init__(
            f"a time of {item} before {now} was expected, got a later one. "
            "Send the diary after it, or correct the time."
        )


class ExerciseRefused(StudyError):
    """An answer does not fit its exercise; what somebody wrote is never in the message."""

    code = "exercise_refused"

    def __init__(self, exercise: str, kind: str) -> None:
        super().__init__(f"an answer to {exercise} ({kind}) was expected, got another. Ask again.")


class WindowBlocked(StudyError):
    """There are reasons against a sleep window, or nobody has asked for them."""

    code = "window_blocked"

    def __init__(self, reason: str) -> None:
        super().__init__(f"no sleep window may hold: {reason}. Ask, and record what you find.")


class WindowRefused(StudyError):
    """A sleep window is out of range."""

    code = "window_refused"

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(f"expected {expected}, got {got!r}. Choose another one.")


class MessageRefused(StudyError):
    """A message is empty or too long."""

    code = "message_refused"

    def __init__(self, at_most: int, got: int) -> None:
        super().__init__(f"1 to {at_most} characters were expected, got {got}. Shorten it.")


# --- Safety and quality -----------------------------------------------------------------------


class EventRefused(StudyError):
    """An adverse event cannot be kept, or moved, like this."""

    code = "event_refused"

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(f"{expected} was expected, got {got}. Correct it, or finish that first.")


class SecondPersonMissing(StudyError):
    """Somebody else has to do this."""

    code = "second_person_missing"

    def __init__(self, step: str) -> None:
        super().__init__(
            f"another person was expected for {step}, got the same one. Ask a colleague."
        )


class QueryRefused(StudyError):
    """Nothing can be asked here."""

    code = "query_refused"

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(f"{expected} was expected, got {got}. Look at the questionnaire again.")


# --- Analysing --------------------------------------------------------------------------------


class PlanRefused(StudyError):
    """An analysis plan cannot be kept or locked."""

    code = "plan_refused"

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(f"{expected} was expected, got {got}. Correct the analysis plan.")

    @classmethod
    def of(cls, error: Exception) -> "PlanRefused":
        """Return the refusal in the words of the statistics."""
        refusal = cls("a plan", "another")
        refusal.args = (str(error),)
        return refusal


class RunRefused(StudyError):
    """An analysis cannot be asked for or cancelled now."""

    code = "run_refused"

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(f"{expected} was expected, got {got}. Wait until it has ended.")
