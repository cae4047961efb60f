"""The allocation sequence as the unblinded statistician keeps it: never a slot, only its frame."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from studies.design.imported_list import BYTES_MAX
from studies.design.parts import Method
from studies.design.simulation import simulate
from studies.exceptions import ListRefused
from studies.forms.protocol import ListForm
from studies.models.study import Study, StudyState
from studies.permissions import Ability, abilities_in, requires
from studies.services.allocation import commitments_of, import_list, rederive, usage_of
from studies.services.trail.audit import staff
from studies.views.posting import posted

# A page answers in seconds; the command simulates as many as asked.
PAGE_TRIALS, PAGE_SEED, DEFAULT_PARTICIPANTS = 60, 1, 200


@requires(Ability.SEE_SEQUENCE)
def sequence(request: HttpRequest, study: Study) -> HttpResponse:
    form = ListForm(posted(request), request.FILES or None)
    if form.is_valid():
        try:
            text = form.cleaned_data["file"].read(BYTES_MAX + 1).decode()
            import_list(study=study, text=text, actor=staff(request.user))
            messages.success(request, _("The list is checked and sealed."))
            return redirect("studies:sequence", study.code)
        except UnicodeDecodeError:
            form.add_error("file", _("The file is not a text in UTF-8"))
        except ListRefused as refusal:
            form.add_error("file", list(refusal.faults))
    commitments = commitments_of(study)
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "form": form,
        "takes_a_list": study.plan.method == Method.LIST and study.state == StudyState.DRAFT,
        "rows": [(*usage, commitments[usage[0]]) for usage in usage_of(study)],
        "disagreements": rederive(study) if study.state != StudyState.DRAFT else [],
    }
    return render(request, "studies/clinic/sequence.html", context)


@require_safe
@requires(Ability.SIMULATE)
def simulation(request: HttpRequest, study: Study) -> HttpResponse:
    """Show what the method does over simulated trials: balance, and how often a guess is right."""
    plan = study.plan
    can_simulate = plan.method != Method.LIST
    report = None
    if can_simulate:
        report = simulate(
            plan,
            n_participants=min(plan.participants_planned or DEFAULT_PARTICIPANTS, 500),
            n_trials=PAGE_TRIALS,
            seed=PAGE_SEED,
        )
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "report": report,
        "plan": plan,
    }
    return render(request, "studies/clinic/simulation.html", context)
