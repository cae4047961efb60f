"""The analysis plan as a form: what a protocol proposes, changed and kept as a draft."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from studies.design.protocol import Protocol
from studies.exceptions import PlanRefused
from studies.services.planning.plans import read_plan
from studies.services.planning.proposal import (
    FEATURES,
    feature_column,
    outcomes_of_protocol,
    proposed_plan,
)
from studies.stats.plan.plan import ESTIMAND

METHODS = [
    ("mmrm", _("Mixed model for repeated measures")),
    ("clda", _("Constrained mixed model (baseline as a response)")),
    ("ancova", _("Covariance analysis at one visit")),
]
DEGREES = [
    ("kenward_roger", "Kenward-Roger"),
    ("satterthwaite", "Satterthwaite"),
    ("none", _("None (normal distribution)")),
]
ADJUSTMENTS = [
    ("holm", "Holm"),
    ("hochberg", "Hochberg"),
    ("hommel", "Hommel"),
    ("bonferroni", "Bonferroni"),
    ("dunnett", "Dunnett"),
    ("dunnett_step_down", _("Dunnett, step by step")),
    ("none", _("None")),
]
LEVELS = [("0.9", "90 %"), ("0.95", "95 %"), ("0.99", "99 %")]
STRATEGIES = [
    ("J2R", _("Jump to reference")),
    ("CR", _("Copy reference")),
    ("CIR", _("Copy increments in reference")),
]
SPENDING = [("obrien_fleming", "O'Brien-Fleming"), ("pocock", "Pocock")]
ESTIMAND_LABELS = {
    "treatment": _("Estimand: treatment"),
    "population": _("Estimand: population"),
    "variable": _("Estimand: variable"),
    "intercurrent_events": _("Estimand: intercurrent events and how they are handled"),
    "summary": _("Estimand: summary measure"),
}
FULL_WIDTH_COMMA = "\uff0c"
# Parts that the form has no fields for stay as the plan has them.
SUPPLEMENTS = ("adherence", "mediation", "reliability", "randomisation")

Content = dict[str, Any]


class Decimals(forms.CharField):
    """Numbers with commas between them."""

    default_error_messages = {"numbers": _("Enter numbers with commas between them")}

    def to_python(self, value: object) -> list[float]:
        """Return the numbers."""
        words = super().to_python(value).replace(FULL_WIDTH_COMMA, ",").split(",")
        try:
            return [float(word) for word in words if word.strip()]
        except ValueError:
            raise forms.ValidationError(self.error_messages["numbers"], code="numbers") from None

    def prepare_value(self, value: object) -> object:
        """Return the numbers as they are typed."""
        if not isinstance(value, list | tuple):
            return value
        return ", ".join(f"{number:g}" for number in value)


class PlanForm(forms.Form):
    """What decides, what stands beside it, and in which words it is estimated."""

    primary_outcome = forms.ChoiceField(label=_("Primary outcome"))
    primary_visit = forms.ChoiceField(label=_("Primary visit"))
    method = forms.ChoiceField(label=_("Primary method"), choices=METHODS)
    df = forms.ChoiceField(label=_("Degrees of freedom of the mixed model"), choices=DEGREES)
    reference_arm = forms.ChoiceField(label=_("Reference arm"))
    adjust = forms.ChoiceField(
        label=_("Adjustment for several comparisons with the reference"), choices=ADJUSTMENTS
    )
    level = forms.TypedChoiceField(label=_("Level of intervals"), choices=LEVELS, coerce=float)
    in_order = forms.BooleanField(
        label=_("Test the other outcomes only after the primary one is shown"), required=False
    )
    strategies = forms.MultipleChoiceField(
        label=_("If those who left did as the reference arm"),
        choices=STRATEGIES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    deltas = Decimals(label=_("Points worse than imputed, for the tipping point"), required=False)
    features = forms.MultipleChoiceField(
        label=_("Features of the music, set against the outcomes"),
        choices=[(feature_column(name), name.replace("_", " ")) for name in FEATURES],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    supplements = forms.MultipleChoiceField(
        label=_("Also"),
        choices=[
            ("adherence", _("Listening as a dose, and its effect on those who listen")),
            ("mediation", _("How much of the effect goes through the other outcome")),
            ("reliability", _("Reliability of the scales")),
            ("randomisation", _("Re-randomisation test with the study's own scheme")),
        ],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    information = Decimals(
        label=_("Looks before the end, as information fractions"),
        help_text=_("For example 0.5, 1. Empty: none is planned."),
        required=False,
    )
    spending = forms.ChoiceField(label=_("Alpha is spent by"), choices=SPENDING)

    def __init__(
        self, *args: object, protocol: Protocol, content: Content, wants_reason: bool,
        **kwargs: object,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self._content, self._proposal = content, proposed_plan(protocol)
        self._outcomes = outcomes_of_protocol(protocol)
        self.fields["primary_outcome"].choices = [(n, n.upper()) for n in self._outcomes]
        self.fields["primary_visit"].choices = [
            (str(week), _("Week %(week)s") % {"week": week}) for week in content["visits"]
        ]
        self.fields["reference_arm"].choices = [(code, code) for code in protocol.arm_codes]
        self._add_outcome_fields()
        for name in ESTIMAND:
            self.fields[f"estimand_{name}"] = forms.CharField(
                label=ESTIMAND_LABELS[name], max_length=300, required=False
            )
        if wants_reason:
            self.fields["reason"] = forms.CharField(
                label=_("Why is the locked plan changed?"),
                max_length=500,
                help_text=_("Shown with the results."),
                error_messages={"required": _("Enter a reason")},
            )
        self.initial = self._initial(content)

    def clean(self) -> Content:
        """Return the answers; what makes no plan together is said at the top."""
        cleaned = super().clean()
        if not self.errors:
            try:
                read_plan(self.content())
            except PlanRefused as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned

    def content(self) -> Content:
        """Return the plan as JSON data."""
        typed = self.cleaned_data
        first = typed["primary_outcome"]
        ordered = [first, *(name for name in self._outcomes if name != first)]
        content = dict(self._content) | {
            "reference_arm": typed["reference_arm"],
            "outcomes": {name: self._outcome(name) for name in ordered},
            "primary": {
                "outcome": first, "visit": typed["primary_visit"], "method": typed["method"],
                "df": typed["df"], "adjust": typed["adjust"],
            },
            "level": typed["level"],
            "hierarchy": ordered if typed["in_order"] else [],
            "sensitivity": {"strategies": typed["strategies"], "deltas": typed["deltas"]},
            "estimand": {n: typed[f"estimand_{n}"] for n in ESTIMAND if typed[f"estimand_{n}"]},
        }  # fmt: skip
        return self._with_supplements(content)

    def _add_outcome_fields(self) -> None:
        for name in self._outcomes:
            words = {"outcome": name.upper()}
            for kind, label in (
                ("change", _("%(outcome)s: responder at an improvement of, points")),
                ("score", _("%(outcome)s: responder also at a score of at most")),
                ("margin", _("%(outcome)s: difference that still counts as not worse, points")),
            ):
                self.fields[f"{kind}_{name}"] = forms.FloatField(
                    label=label % words,
                    min_value=0,
                    required=False,
                    widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "short"}),
                )

    def _initial(self, content: Content) -> Content:
        sensitivity = content.get("sensitivity", {})
        interim = content.get("interim", {})
        found = {
            "primary_outcome": content["primary"]["outcome"],
            "primary_visit": str(content["primary"]["visit"]),
            **{name: content["primary"].get(name) for name in ("method", "df", "adjust")},
            "reference_arm": content["reference_arm"],
            "level": f"{content.get('level', 0.95):g}",
            "in_order": bool(content.get("hierarchy")),
            "strategies": sensitivity.get("strategies", []),
            "deltas": sensitivity.get("deltas", []),
            "features": content.get("exposure", []),
            "supplements": [name for name in SUPPLEMENTS if content.get(name)],
            "information": interim.get("information", []),
            "spending": interim.get("spending", "obrien_fleming"),
            **{f"estimand_{n}": text for n, text in content.get("estimand", {}).items()},
        }
        for name in self._outcomes:
            about = content["outcomes"].get(name, {})
            parts = _rule_parts(about.get("responder"))
            found[f"change_{name}"] = parts.get("change_at_least")
            found[f"score_{name}"] = parts.get("score_at_most")
            found[f"margin_{name}"] = about.get("margin")
        return found

    def _outcome(self, name: str) -> Content:
        typed = self.cleaned_data
        about: Content = dict(self._content["outcomes"].get(name, {"direction": "lower"}))
        about.pop("responder", None)
        about.pop("margin", None)
        conditions = [
            {kind: typed[f"{field}_{name}"]}
            for field, kind in (("change", "change_at_least"), ("score", "score_at_most"))
            if typed[f"{field}_{name}"] is not None
        ]
        if conditions:
            about["responder"] = conditions[0] if len(conditions) == 1 else {"any": conditions}
        if typed[f"margin_{name}"]:
            about["margin"] = typed[f"margin_{name}"]
        return about

    def _with_supplements(self, content: Content) -> Content:
        typed = self.cleaned_data
        for name in SUPPLEMENTS:
            known = self._content.get(name) or self._proposal.get(name)
            content.pop(name, None)
            if name in typed["supplements"] and known:
                content[name] = known
        for name, value in (("exposure", typed["features"]), ("interim", self._looks())):
            content.pop(name, None)
            if value:
                content[name] = value
        if not content.get("adherence"):
            content.pop("adherence", None)
        return content

    def _looks(self) -> Content | None:
        fractions = self.cleaned_data["information"]
        if not fractions:
            return None
        known: Mapping[str, Any] = self._content.get("interim", {})
        kept = {name: known[name] for name in ("alpha", "difference") if name in known}
        now = min(int(known.get("now", len(fractions))), len(fractions))
        return kept | {
            "information": fractions, "now": now, "spending": self.cleaned_data["spending"],
        }  # fmt: skip


class LockForm(forms.Form):
    """Locking cannot be taken back, so it asks."""

    sure = forms.BooleanField(
        label=_("This plan decides. It can never be changed, only followed by a new version."),
        error_messages={"required": _("Tick the box to lock the plan")},
    )


def _rule_parts(rule: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the conditions of a rule that the form can show."""
    if not rule:
        return {}
    parts = rule.get("any", [rule])
    return {kind: value for part in parts for kind, value in part.items() if kind != "all"}
