"""One participant as a clinician sees them: visits, nights, link, allocation; never the arm."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from studies.exceptions import (
    AllocationExhausted,
    AlreadyAllocated,
    IdentityErased,
    NotReadyForAllocation,
    StudyNotOpen,
)
from studies.forms.clinic import RevealForm, WithdrawForm
from studies.models.consent import WithdrawalScope
from studies.models.participant import Participant
from studies.models.study import Study
from studies.permissions import Ability, abilities_in, requires
from studies.selectors.listening import minutes_by_night
from studies.selectors.participants import live_link, planned_visits, timeline
from studies.services.allocation import allocate_participant
from studies.services.conduct.harms import visits_to_ask
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.entry.enrolment import reissue_link, reveal_contact, revoke_link
from studies.services.entry.identity import has_identity
from studies.services.entry.screening import screening_waits
from studies.services.trail.audit import staff
from studies.services.visits.paper import ENTERABLE
from studies.views.clinic.consent_status import consent_status
from studies.views.clinic.links import show_link_once
from studies.views.clinic.queries import queries_of
from studies.views.editing import edits_data
from studies.views.posting import posted
from studies.views.reasons import not_ready, obstacles_of, waits_for


@requires(Ability.SEE_PARTICIPANTS)
def page(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    participant = participant_for(request, study, code)
    context = {
        "study": study,
        "participant": participant,
        "abilities": abilities_in(request.user, study),
        "timeline": timeline(participant),
        "visits": planned_visits(participant),
        "enterable": ENTERABLE,
        "link": live_link(participant),
        "consent": consent_status(participant),
        "obstacles": obstacles_of(participant),
        "waits_for": waits_for(participant),
        "screening_waits": screening_waits(participant),
        "queries": queries_of(participant),
        "to_ask": visits_to_ask(participant),
        "is_known": has_identity(participant),
        # Called by the template, and asked only about who is not known any more.
        "is_erased": participant.withdrawals.filter(scope=WithdrawalScope.DATA).exists,
        # Minutes of music tell the kind of arm: they are shown when the study is unblinded.
        "nights": [] if study.is_blinded else minutes_by_night(participant),
    }
    # Staff and participant read the same days.
    with timezone.override(participant.zone):
        return render(request, "studies/clinic/participant.html", context)


@require_POST
@requires(Ability.ALLOCATE)
def allocate(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    participant = participant_for(request, study, code, Ability.ALLOCATE)
    try:
        allocate_participant(participant=participant, actor=staff(request.user))
        messages.success(request, _("Allocated. Music or lessons begin tonight."))
    except AlreadyAllocated:
        messages.info(request, _("Already allocated. Nothing was changed."))
    except NotReadyForAllocation:
        reasons = {"reasons": not_ready(participant)}
        messages.error(request, _("Not allocated: %(reasons)s.") % reasons)
    except StudyNotOpen:
        messages.error(request, _("Not allocated: the study is not open."))
    except AllocationExhausted:
        messages.error(
            request,
            _(
                "Not allocated: the sequence of this stratum is used up. "
                "Ask the trial's statistician for a longer one."
            ),
        )
    return redirect("studies:participant", study.code, code)


@require_POST
@requires(Ability.INVITE)
def reissue(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    participant = participant_for(request, study, code, Ability.INVITE)
    show_link_once(request, reissue_link(participant=participant, actor=staff(request.user)))
    return redirect("studies:participant", study.code, code)


@require_POST
@requires(Ability.INVITE)
def revoke(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    participant = participant_for(request, study, code, Ability.INVITE)
    revoke_link(participant=participant, actor=staff(request.user))
    messages.success(request, _("The private link is closed on every device."))
    return redirect("studies:participant", study.code, code)


@requires(Ability.REVEAL_CONTACT)
def reveal(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Show name and contact after a reason; every look is in the audit trail."""
    participant = participant_for(request, study, code, Ability.REVEAL_CONTACT)
    form = RevealForm(posted(request))
    contact = None
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        actor = staff(request.user)
        try:
            contact = reveal_contact(participant=participant, actor=actor, reason=reason)
        except IdentityErased:
            form.add_error(None, _("Name and contact were erased. They cannot be brought back."))
    context = {"study": study, "participant": participant, "form": form, "contact": contact}
    return render(request, "studies/clinic/reveal.html", context)


@requires(Ability.WITHDRAW)
@edits_data
def withdraw(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    participant = participant_for(request, study, code, Ability.WITHDRAW)
    form = WithdrawForm(posted(request))
    if form.is_valid() and "confirmed" in request.POST:
        actor = staff(request.user)
        withdraw_participant(participant=participant, actor=actor, **form.cleaned_data)
        messages.success(request, _("Withdrawn as asked."))
        return redirect("studies:participant", study.code, code)
    context = {"study": study, "participant": participant, "form": form}
    template = "withdraw_check.html" if form.is_valid() else "withdraw.html"
    return render(request, f"studies/clinic/{template}", context)


def participant_for(
    request: HttpRequest,
    study: Study,
    code: str,
    ability: Ability = Ability.SEE_PARTICIPANTS,
) -> Participant:
    """Return the participant with this code, to those who have the ability at their site."""
    visible = Participant.objects.visible_to(request.user, ability).select_related("study")
    return get_object_or_404(visible, study=study, code=code)
