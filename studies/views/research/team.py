"""Who works on a study and where: roles given and taken, sites added."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from studies.exceptions import ApprovalRefused, RoleOfOnesOwn, RolesExclude
from studies.forms.team import MemberForm, SiteApprovalForm, SiteForm
from studies.models.study import Role, Study
from studies.permissions import Ability, abilities_in, requires
from studies.services.entry.approvals import approve_site, version_to_approve
from studies.services.protocol.members import (
    add_member,
    add_site,
    may_be_on_call,
    put_on_call,
    revoke_member,
)
from studies.services.trail.audit import staff
from studies.views.posting import posted


@requires(Ability.MANAGE_MEMBERS)
def people(request: HttpRequest, study: Study) -> HttpResponse:
    form = MemberForm(posted(request), study=study)
    if form.is_valid():
        try:
            add_member(study=study, actor=staff(request.user), **form.cleaned_data)
            return _back(study)
        except RoleOfOnesOwn:
            form.add_error("user", _("Nobody gives roles to themselves: ask another member"))
        except RolesExclude as refusal:
            form.add_error("role", _excluded(refusal))
    return render(request, "studies/clinic/people.html", _people(request, study, form))


@require_POST
@requires(Ability.MANAGE_MEMBERS)
def revoke(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    membership = get_object_or_404(study.memberships.live(), pk=pk)
    revoke_member(membership=membership, actor=staff(request.user))
    messages.success(request, _("The role is taken away from now on."))
    return redirect("studies:clinic") if membership.user == request.user else _back(study)


@require_POST
@requires(Ability.MANAGE_MEMBERS)
def on_call(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    membership = get_object_or_404(may_be_on_call(study), pk=pk)
    put_on_call(
        membership=membership,
        actor=staff(request.user),
        is_on_call=not membership.is_on_call,
    )
    return _back(study)


@requires(Ability.SET_UP)
def sites(request: HttpRequest, study: Study) -> HttpResponse:
    form = SiteForm(posted(request))
    if form.is_valid():
        add_site(study=study, actor=staff(request.user), **form.cleaned_data)
        return redirect("studies:sites", study.code)
    context = {
        "study": study,
        "form": form,
        "abilities": abilities_in(request.user, study),
        "sites": study.sites.order_by("position").prefetch_related("approvals__version"),
        "version": version_to_approve(study),
    }
    return render(request, "studies/clinic/sites.html", context)


@requires(Ability.SET_UP)
def site_approval(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    """Record that a site approved the protocol."""
    site = get_object_or_404(study.sites, pk=pk)
    form = SiteApprovalForm(posted(request))
    if form.is_valid():
        try:
            approve_site(site=site, actor=staff(request.user), **form.cleaned_data)
            return redirect("studies:sites", study.code)
        except ApprovalRefused:
            form.add_error(None, _("The protocol has to be submitted, and the day to have come"))
    context = {"study": study, "site": site, "form": form, "version": version_to_approve(study)}
    return render(request, "studies/clinic/site_approval.html", context)


def _back(study: Study) -> HttpResponse:
    return redirect("studies:people", study.code)


def _people(request: HttpRequest, study: Study, form: MemberForm) -> dict[str, object]:
    members = study.memberships.select_related("user", "site").order_by("granted_at", "pk")
    return {
        "study": study,
        "form": form,
        "abilities": abilities_in(request.user, study),
        "members": members.filter(revoked_at=None),
        "may_be_on_call": set(may_be_on_call(study).values_list("pk", flat=True)),
        "former": members.exclude(revoked_at=None),
    }


def _excluded(refusal: RolesExclude) -> str:
    held = ", ".join(str(Role(role).label) for role in refusal.held)
    return _("This role cannot be joined with %(held)s: revoke that one first") % {"held": held}
