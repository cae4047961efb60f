"""The protocol of a study: read it, set it up step by step, rehearse it, amend it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from studies.design import protocol_file
from studies.design.amendments import differences
from studies.design.errors import ProtocolFaults
from studies.design.protocol import Protocol
from studies.exceptions import AmendmentRefused, ProtocolRefused
from studies.forms.protocol import (
    STEP_NAMES,
    STEPS,
    AmendmentForm,
    ApprovalForm,
    ConfirmAmendmentForm,
    ConfirmCourseForm,
    FileForm,
    GivingUpForm,
)
from studies.models.protocol import ProtocolVersion
from studies.models.study import Study, StudyState
from studies.permissions import Ability, abilities_in, requires
from studies.services.entry.approvals import sites_to_approve
from studies.services.protocol.changed_course import (
    changes_in,
    confirm_course,
    course_to_confirm,
)
from studies.services.protocol.rehearsal import in_words, rehearse
from studies.services.protocol.two_people import takes_two
from studies.services.protocol.versions import (
    activate_version,
    drop_version,
    read_protocol,
    save_draft,
    submit_version,
    version_in_hand,
    version_to_confirm,
)
from studies.services.trail.audit import staff
from studies.views.posting import posted
from studies.views.proof import too_many_tries
from studies.views.research.protocol_words import described, sections


@require_safe
@requires(Ability.SEE_PROTOCOL)
def page(request: HttpRequest, study: Study) -> HttpResponse:
    abilities = abilities_in(request.user, study)
    context = {
        "study": study,
        "abilities": abilities,
        "sections": sections(study.plan, tells_blocks=Ability.SEE_SEQUENCE in abilities),
        "versions": study.protocol_versions.order_by("-number"),
        "in_hand": version_in_hand(study) if study.state != StudyState.DRAFT else None,
        "takes_two": takes_two(study),
        "amend": AmendmentForm(),
        "give_up": GivingUpForm(),
        "approve": ApprovalForm(),
    }
    return render(request, "studies/clinic/protocol.html", context)


@require_safe
@requires(Ability.SEE_PROTOCOL)
def version(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Show what one version changed of the one before it."""
    chosen = get_object_or_404(study.protocol_versions, number=number)
    return render(request, "studies/clinic/version.html", _compared(request, study, chosen))


@require_safe
@requires(Ability.SET_UP)
def export(request: HttpRequest, study: Study) -> HttpResponse:
    """Send the protocol as a file."""
    response = HttpResponse(protocol_file.write(_in_hand(study)), content_type="application/toml")
    response["Content-Disposition"] = f'attachment; filename="{study.code}-protocol.toml"'
    return response


@requires(Ability.SET_UP)
def load(request: HttpRequest, study: Study) -> HttpResponse:
    """Take a protocol file as the draft, or say everything that is wrong with it."""
    form = FileForm(posted(request), request.FILES or None)
    if form.is_valid():
        try:
            text = form.cleaned_data["file"].read(protocol_file.BYTES_MAX + 1).decode()
            _save(request, study, protocol_file.read(text))
            messages.success(request, _("The file is the draft now."))
            return redirect("studies:protocol", study.code)
        except UnicodeDecodeError:
            form.add_error("file", _("The file is not a text in UTF-8"))
        except ProtocolFaults as refusal:
            form.add_error("file", list(refusal.faults))
        except AmendmentRefused as refusal:
            form.add_error(None, list(refusal.reasons))
    return render(request, "studies/clinic/load.html", {"study": study, "form": form})


@requires(Ability.SET_UP)
def step(request: HttpRequest, study: Study, key: str) -> HttpResponse:
    """One step of the wizard; saving it leads to the next."""
    if key not in STEPS:
        raise Http404
    form = STEPS[key](posted(request), protocol=_in_hand(study), sites=_sites(study))
    if form.is_valid():
        try:
            _save(request, study, read_protocol(form.parts()))
            return _after(study, key)
        except ProtocolRefused as refusal:
            form.add_error(None, list(refusal.faults))
        except AmendmentRefused as refusal:
            form.add_error(None, list(refusal.reasons))
    context = {
        "study": study,
        "form": form,
        "key": key,
        "title": STEP_NAMES[key],
        "steps": STEP_NAMES.items(),
        "number": list(STEPS).index(key) + 1,
        "n_steps": len(STEPS),
    }
    return render(request, "studies/clinic/step.html", context)


@require_safe
@requires(Ability.SET_UP)
def rehearsal(request: HttpRequest, study: Study) -> HttpResponse:
    """Walk synthetic people through the protocol; nothing is kept."""
    run = rehearse(study)
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "run": run,
        "n_completed": run.count("completed"),
        "problems": [in_words(finding) for finding in run.problems],
        "remarks": [in_words(finding) for finding in run.findings if not finding.is_serious],
        "unapproved": [site.name for site in sites_to_approve(study)],
    }
    return render(request, "studies/clinic/rehearsal.html", context)


@require_POST
@requires(Ability.SET_UP)
def submit(request: HttpRequest, study: Study) -> HttpResponse:
    form = AmendmentForm(request.POST)
    if form.is_valid():
        _try(request, submit_version, study=study, reason=form.cleaned_data["reason"])
    else:
        messages.error(request, _("Enter a reason"))
    return redirect("studies:protocol", study.code)


@require_POST
@requires(Ability.SET_UP)
def activate(request: HttpRequest, study: Study) -> HttpResponse:
    """Bring an amendment into force where one person may; two have a page of their own."""
    form = ApprovalForm(request.POST)
    if study.state == StudyState.DRAFT:
        messages.error(request, _("A draft comes into force when the study is opened."))
    elif takes_two(study):
        messages.error(request, _("A second person has to confirm it."))
    elif form.is_valid():
        approved_on = form.cleaned_data["approved_on"]
        _try(request, activate_version, study=study, approved_on=approved_on)
    else:
        messages.error(request, _("Enter a date"))
    return redirect("studies:protocol", study.code)


@sensitive_post_parameters("password", "code")
@requires(Ability.CONFIRM_OPENING)
def confirm(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Bring an amendment into force as the second person, with password and second factor."""
    waiting = version_to_confirm(study)
    if waiting is None or waiting.number != number:
        return redirect("studies:protocol", study.code)
    if refusal := too_many_tries(request):
        return refusal
    form = ConfirmAmendmentForm(posted(request), user=request.user)
    if form.is_valid():
        try:
            approved_on = form.cleaned_data["approved_on"]
            actor = staff(request.user)
            activate_version(study=study, actor=actor, approved_on=approved_on, number=number)
            messages.success(request, _("The amendment is in force."))
            return redirect("studies:protocol", study.code)
        except AmendmentRefused as refusal:
            form.add_error(None, list(refusal.reasons))
    context = {**_compared(request, study, waiting), "form": form}
    return render(request, "studies/clinic/confirm_amendment.html", context)


@sensitive_post_parameters("password", "code")
@requires(Ability.CONFIRM_OPENING)
def confirm_lessons(request: HttpRequest, study: Study) -> HttpResponse:
    """Let changed lessons be given as the second person, with password and second factor."""
    asked = course_to_confirm(study)
    if asked is None:
        return redirect("studies:protocol", study.code)
    if refusal := too_many_tries(request):
        return refusal
    form = ConfirmCourseForm(posted(request), user=request.user, initial={"sha256": asked.sha256})
    if form.is_valid():
        try:
            read = form.cleaned_data["sha256"]
            confirm_course(study=study, sha256=read, actor=staff(request.user))
            messages.success(request, _("The changed lessons are given from now on."))
            return redirect("studies:study", study.code)
        except AmendmentRefused as refusal:
            form.add_error(None, list(refusal.reasons))
    context = {"study": study, "asked": asked, "form": form, "changes": changes_in(asked)}
    return render(request, "studies/clinic/confirm_course.html", context)


@require_POST
@requires(Ability.SET_UP)
def drop(request: HttpRequest, study: Study) -> HttpResponse:
    form = GivingUpForm(request.POST)
    if form.is_valid():
        _try(request, drop_version, study=study, reason=form.cleaned_data["reason"])
    else:
        messages.error(request, _("Enter a reason"))
    is_draft = study.state == StudyState.DRAFT
    return redirect("studies:study" if is_draft else "studies:protocol", study.code)


def _compared(request: HttpRequest, study: Study, chosen: ProtocolVersion) -> dict[str, object]:
    """Return a version and what it changes, as far as somebody may read it."""
    before = study.protocol_versions.filter(number__lt=chosen.number).order_by("number").last()
    abilities = abilities_in(request.user, study)
    tells = Ability.SEE_SEQUENCE in abilities
    changes = differences(before.plan, chosen.plan) if before else ()
    return {
        "study": study,
        "abilities": abilities,
        "version": chosen,
        "before": before,
        "sections": sections(chosen.plan, tells_blocks=tells),
        "changes": described(changes, tells_blocks=tells),
    }


def _try(request: HttpRequest, act: object, **arguments: object) -> None:
    try:
        act(actor=staff(request.user), **arguments)
        messages.success(request, _("Done."))
    except AmendmentRefused as refusal:
        for reason in refusal.reasons:
            messages.error(request, reason)


def _save(request: HttpRequest, study: Study, protocol: Protocol) -> None:
    save_draft(study=study, protocol=protocol, actor=staff(request.user))


def _in_hand(study: Study) -> Protocol:
    version = version_in_hand(study)
    return version.plan if version else study.plan


def _sites(study: Study) -> list[str]:
    return list(study.sites.order_by("position").values_list("code", flat=True))


def _after(study: Study, key: str) -> HttpResponse:
    keys = list(STEPS)
    following = keys[keys.index(key) + 1 :]
    if following:
        return redirect("studies:set_up", study.code, following[0])
    return redirect("studies:rehearsal", study.code)
