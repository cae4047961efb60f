"""A clinician's studies: draft, open, invite, end; never an arm."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from studies import clock
from studies.exceptions import (
    NotEligible,
    SiteNotApproved,
    StudyError,
    StudyNotOpen,
    StudyNotReady,
)
from studies.forms.clinic import CloseForm, InviteForm, NewStudyForm
from studies.models.study import Study, StudyState
from studies.permissions import Ability, abilities_in, requires, sites_of, studies_of
from studies.selectors.worklist import worklist
from studies.services.entry.enrolment import invite_participant
from studies.services.protocol.setup import (
    close_study,
    create_study,
    open_study,
    reasons_not_to_open,
)
from studies.services.trail.audit import staff
from studies.views.clinic.links import show_link_once
from studies.views.posting import posted
from studies.views.reasons import obstacles

A_PAGE = 50


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
    context = {
        "study": study,
        "plan": study.plan,
        "abilities": abilities_in(request.user, study),
        "reasons": reasons_not_to_open(study) if study.state == StudyState.DRAFT else [],
        "rows": Paginator(worklist(study, request.user), A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "studies/clinic/study.html", context)


@require_POST
@requires(Ability.SET_UP)
def open_to_recruits(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        open_study(study=study, actor=staff(request.user))
        messages.success(request, _("The study is open. You can invite participants now."))
    except StudyNotReady as refusal:
        for reason in refusal.reasons:
            messages.error(request, _("Not opened: %(reason)s.") % {"reason": reason})
    return redirect("studies:study", study.code)


@requires(Ability.INVITE)
def invite(request: HttpRequest, study: Study) -> HttpResponse:
    sites = sites_of(request.user, study, Ability.INVITE)
    form = InviteForm(
        posted(request), protocol=study.plan, sites=sites, today=clock.today(study.zone)
    )
    if form.is_valid():
        try:
            invitation = invite_participant(
                study=study, actor=staff(request.user), **form.invitation
            )
        except NotEligible:
            known = {"age_years": form.cleaned_data["age_years"]}
            form.add_error("age_years", obstacles(study.plan.eligibility, known))
        except StudyNotOpen:
            form.add_error(None, _("The study is not open"))
        except SiteNotApproved:
            form.add_error(None, _("This site has not approved this version of the protocol"))
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
