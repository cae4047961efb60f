"""A clinician's studies: draft, open, invite, end; never an arm."""

from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from studies import clock
from studies.exceptions import (
    NotEligible,
    SentAlready,
    SiteNotApproved,
    StudyError,
    StudyNotOpen,
    StudyNotReady,
)
from studies.forms.clinic import CloseForm, InviteForm, NewStudyForm
from studies.forms.closing import ProofForm
from studies.forms.protocol import GivingUpForm
from studies.models.study import Study, StudyState
from studies.permissions import Ability, abilities_in, requires, sites_of, studies_of
from studies.selectors.worklist import worklist
from studies.services.entry.enrolment import invite_participant
from studies.services.entry.majority import came_of_age
from studies.services.protocol.changed_course import course_to_confirm
from studies.services.protocol.setup import (
    ask_to_open,
    close_study,
    create_study,
    needs_second_person,
    open_study,
    reasons_not_to_open,
    waits_to_open,
)
from studies.services.protocol.versions import version_to_confirm
from studies.services.trail.audit import staff
from studies.views.clinic.links import show_link_once
from studies.views.clinic.unblindings import untold
from studies.views.once import SENT, once
from studies.views.posting import posted
from studies.views.proof import too_many_tries
from studies.views.reasons import obstacles

A_PAGE = 50
OPENED = gettext_lazy("The study is open. You can invite participants now.")


@require_safe
@login_required
def studies(request: HttpRequest) -> HttpResponse:
    rows = [(study, abilities_in(request.user, study)) for study in studies_of(request.user)]
    return render(request, "studies/clinic/studies.html", {"rows": rows})


@login_required
def new(request: HttpRequest) -> HttpResponse:
    form = NewStudyForm(posted(request))
    if form.is_valid():
        study = create_study(**form.cleaned_data, actor=staff(request.user))
        return redirect("studies:study", study.code)
    return render(request, "studies/clinic/new.html", {"form": form})


@require_safe
@requires(Ability.SEE_PARTICIPANTS)
def study(request: HttpRequest, study: Study) -> HttpResponse:
    abilities = abilities_in(request.user, study)
    people = worklist(study, request.user, of_age=came_of_age(study))
    context = {
        "study": study,
        "plan": study.plan,
        "abilities": abilities,
        "n_untold": untold(request, study) if Ability.BREAK_BLIND in abilities else 0,
        "reasons": reasons_not_to_open(study) if study.state == StudyState.DRAFT else [],
        "waiting": waits_to_open(study),
        "amendment": version_to_confirm(study),
        "changed_course": course_to_confirm(study),
        "give_up": GivingUpForm(),
        "rows": Paginator(people, A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "studies/clinic/study.html", context)


@require_POST
@requires(Ability.SET_UP)
def open_to_recruits(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        if needs_second_person(study):
            ask_to_open(study=study, actor=staff(request.user))
            messages.success(request, _("Asked. A second person has to confirm it now."))
        else:
            open_study(study=study, actor=staff(request.user))
            messages.success(request, OPENED)
    except StudyNotReady as refusal:
        for reason in refusal.reasons:
            messages.error(request, _("Not opened: %(reason)s.") % {"reason": reason})
    return redirect("studies:study", study.code)


@sensitive_post_parameters("password", "code")
@requires(Ability.CONFIRM_OPENING)
def confirm_opening(request: HttpRequest, study: Study) -> HttpResponse:
    """Open the study as the second person, with password and second factor."""
    version = waits_to_open(study)
    if version is None:
        return redirect("studies:protocol", study.code)
    if refusal := too_many_tries(request):
        return refusal
    form = ProofForm(posted(request), user=request.user)
    if form.is_valid():
        try:
            open_study(study=study, actor=staff(request.user))
            messages.success(request, OPENED)
            return redirect("studies:study", study.code)
        except StudyNotReady as refusal:
            form.add_error(None, list(refusal.reasons))
    context = {"study": study, "version": version, "form": form}
    return render(request, "studies/clinic/confirm_opening.html", context)


@requires(Ability.INVITE)
def invite(request: HttpRequest, study: Study) -> HttpResponse:
    sites = sites_of(request.user, study, Ability.INVITE)
    form = InviteForm(
        posted(request), protocol=study.plan, sites=sites, today=clock.today(study.zone)
    )
    if form.is_valid():
        try:
            invite_once = partial(
                invite_participant, study=study, actor=staff(request.user), **form.invitation
            )
            invitation = once(request, form, invite_once)
        except NotEligible:
            known = {"age_years": form.cleaned_data["age_years"]}
            form.add_error("age_years", obstacles(study.plan.eligibility, known))
        except SentAlready:
            messages.info(request, SENT)
            return redirect("studies:study", study.code)
        except StudyNotOpen:
            form.add_error(None, _("The study is not open"))
        except SiteNotApproved:
            form.add_error(
                None,
                _(
                    "This site has not approved this version of the protocol. "
                    "A principal investigator records the approval on the page of sites."
                ),
            )
        else:
            show_link_once(request, invitation.url_token)
            return redirect("studies:participant", study.code, invitation.participant.code)
    return render(request, "studies/clinic/invite.html", {"study": study, "form": form})


@requires(Ability.CLOSE)
def close(request: HttpRequest, study: Study) -> HttpResponse:
    form = CloseForm(posted(request), study_code=study.code)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            close_study(study=study, actor=staff(request.user), reason=reason)
            return redirect("studies:clinic")
        except StudyNotReady:
            form.add_error("reason", _("Enter a reason: some assessments are still to come"))
        except StudyError:
            form.add_error(None, _("The study is not open"))
    return render(request, "studies/clinic/close.html", {"study": study, "form": form})
