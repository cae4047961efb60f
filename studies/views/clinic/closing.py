"""Locks, signatures and the unblinding of one person, for those who answer for the data."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from studies.exceptions import (
    ErasureRefused,
    LockRefused,
    LooseEndsLeft,
    MoveRefused,
    NothingToSign,
    SentAlready,
    StudyError,
)
from studies.forms.closing import (
    BreakBlindForm,
    EraseContactForm,
    ErasureForm,
    LockDatabaseForm,
    ReportUnblindingForm,
    SignForm,
    UnlockForm,
)
from studies.models.lock import Lock, LockLevel, LockState
from studies.models.participant import Participant
from studies.models.retention import ContactRetention
from studies.models.study import Study, StudyState
from studies.models.unblinding import Unblinding
from studies.permissions import Ability, abilities_in, requires
from studies.selectors.locks import lockable_rows
from studies.selectors.loose_ends import loose_ends
from studies.services.closing.contacts import erase_contact as forget
from studies.services.closing.contacts import set_erasure_day
from studies.services.closing.locks import (
    answer_unlocking,
    ask_to_unlock,
    lock_database,
    lock_target,
)
from studies.services.closing.signing import casebook_sha256, sign_casebook, signatures_of
from studies.services.closing.unblinding import break_blind as tell_arm
from studies.services.closing.unblinding import report_unblinding as report
from studies.services.trail.audit import staff
from studies.views.once import SENT, once
from studies.views.posting import posted
from studies.views.proof import too_many_tries


@requires(Ability.CLOSE)
def database(request: HttpRequest, study: Study) -> HttpResponse:
    """Show how far the study is closed, and what is open still; lock its database."""
    groups = loose_ends(study) if study.state == StudyState.CLOSED else []
    form = LockDatabaseForm(posted(request), groups=groups)
    if request.method == "POST" and (not groups or form.is_valid()):
        _lock_database(request, study, form if groups else None)
        return redirect("studies:database", study.code)
    unblindings = Unblinding.objects.filter(participant__study=study)
    lock = study.locks.in_force().filter(level=LockLevel.STUDY).first()
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "lock": lock,
        "exceptions": lock.exceptions.select_related("participant") if lock else [],
        "groups": groups,
        "form": form,
        "retention": ContactRetention.objects.filter(study=study).first(),
        "unblindings": unblindings.select_related("participant").order_by("-unblinded_at"),
    }
    return render(request, "studies/closing/database.html", context)


@requires(Ability.CLOSE)
def unlock_database(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    """Ask for the database to be opened again, or answer somebody who asked."""
    lock = get_object_or_404(study.locks.in_force(), pk=pk, level=LockLevel.STUDY)
    return _unlock(request, study, lock, "studies:database", study.code)


@requires(Ability.CLOSE)
def erasure(request: HttpRequest, study: Study) -> HttpResponse:
    """Say on which day names and contacts are erased."""
    form = ErasureForm(posted(request))
    if form.is_valid():
        try:
            day = form.cleaned_data["erase_on"]
            set_erasure_day(study=study, erase_on=day, actor=staff(request.user))
            return redirect("studies:database", study.code)
        except ErasureRefused:
            form.add_error(None, _("Enter a day to come; the study has to be closed before."))
    return render(request, "studies/closing/erasure.html", {"study": study, "form": form})


@requires(Ability.WITHDRAW)
def erase_contact(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Erase who one person is, when their data can be withdrawn no more."""
    participant = _participant(request, study, code, Ability.WITHDRAW)
    form = EraseContactForm(posted(request), participant_code=participant.code)
    if form.is_valid():
        try:
            forget(participant=participant, actor=staff(request.user))
            messages.success(request, _("Erased. Nobody can tell any more who this is."))
            return redirect("studies:participant", study.code, code)
        except ErasureRefused:
            form.add_error(None, _("The database is not locked: record a withdrawal instead."))
    context = {"study": study, "participant": participant, "form": form}
    return render(request, "studies/closing/erase_contact.html", context)


@requires(Ability.LOCK)
def locks(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Show what of a participant is locked; lock more of it."""
    participant = _participant(request, study, code, Ability.LOCK)
    if request.method == "POST":
        try:
            target = request.POST.get("target", "")
            lock_target(participant=participant, target=target, actor=staff(request.user))
            messages.success(request, _("Locked."))
        except LockRefused:
            messages.error(request, _("Only what is done with can be locked. Nothing was changed."))
        return redirect("studies:locks", study.code, code)
    context = {"study": study, "participant": participant, "rows": lockable_rows(participant)}
    return render(request, "studies/closing/locks.html", context)


@requires(Ability.LOCK)
def unlock(request: HttpRequest, study: Study, code: str, pk: int) -> HttpResponse:
    """Ask for a lock to be opened, or answer somebody who asked."""
    participant = _participant(request, study, code, Ability.LOCK)
    lock = get_object_or_404(participant.locks.in_force(), pk=pk)
    return _unlock(request, study, lock, "studies:locks", study.code, code)


@sensitive_post_parameters("password", "code")
@requires(Ability.SIGN)
def sign(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Sign everything that a participant handed in, as it is on this page."""
    participant = _participant(request, study, code, Ability.SIGN)
    content = casebook_sha256(participant)
    if refusal := too_many_tries(request):
        return refusal
    form = SignForm(posted(request), user=request.user, initial={"content_sha256": content})
    if form.is_valid() and _sign(request, participant, form, content):
        return redirect("studies:sign", study.code, code)
    context = {"form": form, "content": content, "signatures": signatures_of(participant)}
    context |= {"study": study, "participant": participant}
    return render(request, "studies/closing/sign.html", context)


@never_cache
@sensitive_post_parameters("password", "code")
@requires(Ability.BREAK_BLIND)
def break_blind(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Tell one arm in an emergency, once, on the answer to this form and nowhere else."""
    participant = _participant(request, study, code, Ability.BREAK_BLIND)
    if refusal := too_many_tries(request):
        return refusal
    form, arm = BreakBlindForm(posted(request), user=request.user), None
    if form.is_valid():
        why = {key: form.cleaned_data[key] for key in ("reason", "impact")}
        try:
            arm = tell_arm(participant=participant, actor=staff(request.user), **why)
        except StudyError:
            form.add_error(None, _("This participant has no group yet. There is nothing to tell."))
    context = {"study": study, "participant": participant, "form": form, "arm": arm}
    return render(request, "studies/closing/break_blind.html", context)


@requires(Ability.BREAK_BLIND)
def report_unblinding(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Record that somebody learned an arm by accident; none is shown."""
    participant = _participant(request, study, code, Ability.BREAK_BLIND)
    form = ReportUnblindingForm(posted(request))
    if form.is_valid():
        try:
            tell = partial(
                report, participant=participant, actor=staff(request.user), **form.stated
            )
            once(request, form, tell)
            messages.success(request, _("Recorded. The principal investigators are told."))
            return redirect("studies:participant", study.code, code)
        except SentAlready:
            messages.info(request, SENT)
            return redirect("studies:participant", study.code, code)
        except StudyError:
            form.add_error(None, _("This participant has no group yet. There is nothing to tell."))
    context = {"study": study, "participant": participant, "form": form}
    return render(request, "studies/closing/report_unblinding.html", context)


def _lock_database(request: HttpRequest, study: Study, form: LockDatabaseForm | None) -> None:
    """Lock, with the reasons of the form where something is open, and say what became of it."""
    stated = {} if form is None else {"reasons": form.reasons, "seen": form.cleaned_data["seen"]}
    try:
        lock_database(study=study, actor=staff(request.user), **stated)
        messages.success(request, _("The database is locked. Nothing can be edited any more."))
    except MoveRefused:
        messages.error(request, _("Only a closed study can be locked. Nothing was changed."))
    except LooseEndsLeft:
        messages.error(request, _("What is open changed since you opened this page. Look again."))


def _sign(request: HttpRequest, participant: Participant, form: SignForm, content: str) -> bool:
    """Sign; return whether this page is done with, errors are on the form."""
    if form.cleaned_data["content_sha256"] != content:
        messages.error(request, _("The data changed since you opened this page. Look again."))
        return True
    try:
        meaning = form.cleaned_data["meaning"]
        sign_casebook(participant=participant, meaning=meaning, actor=staff(request.user))
    except NothingToSign:
        form.add_error(None, _("Nothing was handed in yet. There is nothing to sign."))
        return False
    messages.success(request, _("Signed."))
    return True


def _unlock(
    request: HttpRequest, study: Study, lock: Lock, back: str, *where: object
) -> HttpResponse:
    is_asked = lock.state == LockState.UNLOCK_ASKED
    form = UnlockForm(None if is_asked else posted(request))
    if request.method == "POST" and (is_asked or form.is_valid()):
        try:
            _ask_or_answer(request, lock, form if not is_asked else None)
        except LockRefused:
            messages.error(request, _("Somebody else has to agree: nobody opens a lock alone."))
        except MoveRefused:
            messages.error(request, _("This lock stays. Nothing was changed."))
        return redirect(back, *where)
    context = {"study": study, "lock": lock, "form": form, "participant": lock.participant}
    return render(request, "studies/closing/unlock.html", context)


def _ask_or_answer(request: HttpRequest, lock: Lock, form: UnlockForm | None) -> None:
    actor = staff(request.user)
    if form is not None:
        ask_to_unlock(lock=lock, reason=form.cleaned_data["reason"], actor=actor)
        messages.success(request, _("Asked. A second person has to agree."))
        return
    agrees = "agree" in request.POST
    answer_unlocking(lock=lock, agrees=agrees, actor=actor)
    messages.success(request, _("The lock is open.") if agrees else _("The lock stays."))


def _participant(request: HttpRequest, study: Study, code: str, ability: Ability) -> Participant:
    visible = Participant.objects.visible_to(request.user, ability).select_related("study")
    return get_object_or_404(visible, study=study, code=code)
