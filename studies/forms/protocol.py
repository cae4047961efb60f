"""The set-up wizard: one form a step, each reads its part of a protocol and writes it back."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from generator.engine.brief import TEMPO_MAX_BPM, TEMPO_MIN_BPM, ComposerName, Style
from questionnaires.instruments import CATALOGUE
from questionnaires.selectors import definition_keys
from studies.design.contradictions import CHANCE_MAX, CHANCE_MIN, PLANNED_MAX, SLOTS_MAX
from studies.design.parts import (
    NIGHT_MINUTES_MAX,
    NIGHT_MINUTES_MIN,
    NIGHTS_AHEAD_MAX,
    Download,
    Method,
    MusicProfile,
    Source,
)
from studies.design.protocol import Protocol
from studies.forms.closing import ProofForm
from studies.forms.conduct_steps import ConsentStep, RemindersStep, SafetyStep
from studies.forms.screening_step import ScreeningStep
from studies.forms.step import Numbers, Parts, StepForm

ARMS_MAX, VISITS_MAX = 6, 6
CBT = "cbt"
SEX_LEVELS = ("female", "male", "other")
# What the wizard offers; a factor or rule from a file that is none of these is left as it is.
WIZARD_FACTORS = {"sex", "site", "age", "stress"}
WIZARD_FACTS = ("age_years", "cpss_total", "psqi_total")
# Ours that are asked at visits; the diaries and ratings are asked night by night.
AT_VISITS = tuple(key for key in CATALOGUE if key in {"psqi", "cpss", "credibility_expectancy"})
PAGE_MARK = "# "


class AboutStep(StepForm):
    """How many people the study is planned for."""

    participants_planned = forms.IntegerField(
        label=_("Planned number of participants"),
        min_value=0,
        max_value=PLANNED_MAX,
        help_text=_("0 if it is not stated."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
    )


class ArmsStep(StepForm):
    """What is compared."""

    def add_fields(self) -> None:
        """Add a row of fields for each arm and a few more."""
        gives = [
            ("", _("No arm here")),
            (CBT, _("Lessons and a sleep diary (CBT-I)")),
            *((it.value, _("Music by %(name)s") % {"name": it.printed}) for it in ComposerName),
        ]
        for number in range(1, ARMS_MAX + 1):
            place = {"number": number}
            self.fields[f"code_{number}"] = forms.CharField(
                label=_("Arm %(number)d: printed name") % place, required=False, max_length=16
            )
            self.fields[f"gives_{number}"] = forms.ChoiceField(
                label=_("Arm %(number)d: what it gives") % place, required=False, choices=gives
            )
            self.fields[f"ratio_{number}"] = forms.IntegerField(
                label=_("Arm %(number)d: share of participants") % place,
                required=False,
                min_value=1,
                max_value=10,
                widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
            )

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return the arms there are, row by row."""
        found = {}
        for number, arm in enumerate(protocol.arms[:ARMS_MAX], start=1):
            found[f"code_{number}"] = arm.code
            found[f"gives_{number}"] = arm.composer or CBT
            found[f"ratio_{number}"] = arm.ratio
        return found

    def parts(self) -> Parts:
        """Return the protocol's parts with the rows that name an arm."""
        return {**self.plain, "arms": list(self._arms())}

    def _arms(self) -> Iterator[Parts]:
        for number in range(1, ARMS_MAX + 1):
            gives = self.cleaned_data.get(f"gives_{number}")
            if gives:
                yield {
                    "code": self.cleaned_data.get(f"code_{number}", ""),
                    "kind": CBT if gives == CBT else "music",
                    "composer": "" if gives == CBT else gives,
                    "ratio": self.cleaned_data.get(f"ratio_{number}") or 1,
                }


class AllocationStep(StepForm):
    """How participants are allocated, and what is balanced."""

    method = forms.ChoiceField(
        label=_("Method"),
        widget=forms.RadioSelect,
        choices=[
            (Method.BLOCKS.value, _("Blocks of random size in each stratum")),
            (Method.MINIMISATION.value, _("Minimisation with a random element")),
            (Method.SIMPLE.value, _("Simple randomisation, nothing is balanced")),
            (Method.LIST.value, _("A list that the statistician brings")),
        ],
    )
    block_sizes = Numbers(
        label=_("Sizes of the blocks"),
        required=False,
        help_text=_("With blocks only. Several sizes keep the end of a block from being guessed."),
    )
    slots_per_stratum = forms.IntegerField(
        label=_("Slots in each stratum, at least"),
        min_value=1,
        max_value=SLOTS_MAX,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
    )
    distance = forms.ChoiceField(
        label=_("Minimisation: distance between the arms"),
        widget=forms.RadioSelect,
        choices=[
            ("range", _("Range of their counts")),
            ("variance", _("Variance of their counts")),
        ],
    )
    chance_percent = forms.IntegerField(
        label=_("Minimisation: how often the best arm is taken, in per cent"),
        min_value=CHANCE_MIN,
        max_value=CHANCE_MAX,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
    )
    by_sex = forms.BooleanField(label=_("Balance by sex"), required=False)
    by_site = forms.BooleanField(label=_("Balance by site"), required=False)
    age_cuts = Numbers(
        label=_("Balance by age, bands begin at"),
        required=False,
        help_text=_("Years, such as 15. Empty: age is not balanced."),
    )
    stress_cuts = Numbers(
        label=_("Balance by stress at baseline, bands begin at a CPSS total of"),
        required=False,
        help_text=_("Points, such as 33. Empty: stress is not balanced."),
    )

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return method and factors."""
        names = {factor.name: factor for factor in protocol.factors}
        stated = ("method", "block_sizes", "slots_per_stratum", "distance", "chance_percent")
        return {name: getattr(protocol, name) for name in stated} | {
            "by_sex": "sex" in names,
            "by_site": "site" in names,
            "age_cuts": [int(cut) for cut in names["age"].cuts] if "age" in names else [],
            "stress_cuts": [int(cut) for cut in names["stress"].cuts] if "stress" in names else [],
        }

    def parts(self) -> Parts:
        """Return the protocol's parts with the method and the factors chosen."""
        chosen = dict(self.cleaned_data)
        kept = [f for f in self.plain["factors"] if f["name"] not in WIZARD_FACTORS]
        factors = list(self._factors(chosen))
        for name in ("by_sex", "by_site", "age_cuts", "stress_cuts"):
            del chosen[name]
        if chosen["method"] != Method.BLOCKS:
            chosen["block_sizes"] = []
        return {**self.plain, **chosen, "factors": [*factors, *kept]}

    def _factors(self, chosen: Mapping[str, object]) -> Iterator[Parts]:
        if chosen["by_sex"]:
            yield {"name": "sex", "levels": list(SEX_LEVELS)}
        if chosen["by_site"]:
            yield {"name": "site", "levels": self.sites, "source": Source.SITE.value}
        for name, fact in (("age", "age_years"), ("stress", "cpss_total")):
            if cuts := chosen[f"{name}_cuts"]:
                yield {
                    "name": name,
                    "levels": _bands(cuts),
                    "source": Source.BAND.value,
                    "fact": fact,
                    "cuts": cuts,
                }


class VisitsStep(StepForm):
    """When participants are asked what."""

    def add_fields(self) -> None:
        """Add a row of fields for each visit and a few more."""
        self.offered = (*AT_VISITS, *(key for key in definition_keys() if key not in CATALOGUE))
        for number in range(VISITS_MAX):
            place = {"number": number + 1}
            if number:
                self.fields[f"week_{number}"] = forms.IntegerField(
                    label=_("Visit %(number)d: weeks after allocation") % place,
                    required=False,
                    min_value=1,
                    max_value=520,
                    widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
                )
                self.fields[f"window_{number}"] = forms.IntegerField(
                    label=_("Visit %(number)d: days before and after that still count") % place,
                    required=False,
                    min_value=0,
                    max_value=13,
                    widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
                )
            self.fields[f"instruments_{number}"] = forms.MultipleChoiceField(
                label=_("Visit %(number)d: questionnaires") % place
                if number
                else _("Baseline: questionnaires"),
                required=not number,
                choices=[(key, key.replace("_", " ").upper()) for key in self.offered],
                widget=forms.CheckboxSelectMultiple,
            )
        self.fields["treatment_weeks"] = forms.IntegerField(
            label=_("Music and lessons end with the visit of week"),
            required=False,
            min_value=0,
            max_value=520,
            help_text=_("Empty: with the last visit. Visits after that week are follow-up alone."),
            widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
        )

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return the visits there are, row by row."""
        found: dict[str, object] = {"treatment_weeks": protocol.treatment_weeks or None}
        for number, visit in enumerate(protocol.visits[:VISITS_MAX]):
            found[f"week_{number}"] = visit.week
            found[f"window_{number}"] = visit.window_days
            found[f"instruments_{number}"] = list(visit.instruments)
        return found

    def parts(self) -> Parts:
        """Return the protocol's parts with the rows that have a week."""
        until = self.cleaned_data["treatment_weeks"] or 0
        return {**self.plain, "visits": list(self._visits()), "treatment_weeks": until}

    def _visits(self) -> Iterator[Parts]:
        before = {visit["week"]: visit for visit in self.plain["visits"]}
        for number in range(VISITS_MAX):
            week = self.cleaned_data.get(f"week_{number}") if number else 0
            if week is None:
                continue
            chosen = self.cleaned_data.get(f"instruments_{number}", [])
            kept = before.get(week) or self._manner_of_new(week)
            order = [*kept.get("instruments", []), *self.offered]
            yield {
                **kept,
                "week": week,
                "window_days": self.cleaned_data.get(f"window_{number}") or 0,
                "instruments": [key for key in dict.fromkeys(order) if key in chosen],
            }

    def _manner_of_new(self, week: int) -> Parts:
        """Return what a new visit takes over from the last one: declining, and late answers.

        Late days of a visit in between could reach into the next one: it has none.
        """
        last = self.plain["visits"][-1]
        taken = ["may_decline", "late_days"] if week > last["week"] else ["may_decline"]
        return {name: last[name] for name in taken if name in last}


class EligibilityStep(StepForm):
    """Who may take part."""

    age_from = forms.IntegerField(label=_("Age from, in years"), required=False, min_value=1)
    age_to = forms.IntegerField(label=_("Age to, in years"), required=False, min_value=1)
    cpss_from = forms.IntegerField(
        label=_("Stress at baseline (CPSS total) from"), required=False, min_value=0
    )
    psqi_from = forms.IntegerField(
        label=_("Bad sleep at baseline (PSQI total) from"), required=False, min_value=0
    )

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return the bounds there are."""
        rules = {rule.fact: rule for rule in protocol.eligibility}
        age, cpss, psqi = (rules.get(fact) for fact in WIZARD_FACTS)
        return {
            "age_from": _whole(age and age.at_least),
            "age_to": _whole(age and age.at_most),
            "cpss_from": _whole(cpss and cpss.at_least),
            "psqi_from": _whole(psqi and psqi.at_least),
        }

    def parts(self) -> Parts:
        """Return the protocol's parts with these rules and those that the wizard does not know."""
        stated = self.cleaned_data
        bounds = {
            "age_years": (stated["age_from"], stated["age_to"]),
            "cpss_total": (stated["cpss_from"], None),
            "psqi_total": (stated["psqi_from"], None),
        }
        rules = [
            {"fact": fact, "at_least": low, "at_most": high}
            for fact, (low, high) in bounds.items()
            if (low, high) != (None, None)
        ]
        kept = [rule for rule in self.plain["eligibility"] if rule["fact"] not in WIZARD_FACTS]
        return {**self.plain, "eligibility": [*rules, *kept]}


class MusicStep(StepForm):
    """What a night's music may be."""

    night_minutes = forms.IntegerField(
        label=_("Length of a night's music, in minutes"),
        min_value=NIGHT_MINUTES_MIN,
        max_value=NIGHT_MINUTES_MAX,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
    )
    tempo_max_bpm = forms.IntegerField(
        label=_("Highest tempo, in beats per minute"),
        min_value=int(TEMPO_MIN_BPM),
        max_value=int(TEMPO_MAX_BPM),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
    )
    styles = forms.MultipleChoiceField(
        label=_("Styles that may be played"),
        choices=[(style.value, style.value) for style in Style],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose one style or more")},
    )
    nights_ahead = forms.IntegerField(
        label=_("Nights prepared ahead, tonight included"),
        min_value=1,
        max_value=NIGHTS_AHEAD_MAX,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
    )
    downloads = forms.MultipleChoiceField(
        label=_("How participants may keep their music"),
        choices=[
            (Download.MP3.value, _("Sound (MP3)")),
            (Download.MIDI.value, _("Notes (MIDI)")),
            (Download.MUSICXML.value, _("Sheet music (MusicXML)")),
        ],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return length and profile."""
        return {
            "night_minutes": protocol.night_minutes,
            "tempo_max_bpm": int(protocol.music.tempo_max_bpm),
            "styles": list(protocol.music.styles),
            "nights_ahead": protocol.music.nights_ahead,
            "downloads": list(protocol.music.downloads),
        }

    def parts(self) -> Parts:
        """Return the protocol's parts with this music."""
        chosen = dict(self.cleaned_data)
        chosen["nights_ahead"] = chosen["nights_ahead"] or MusicProfile().nights_ahead
        return {**self.plain, "night_minutes": chosen.pop("night_minutes"), "music": chosen}


class LessonsStep(StepForm):
    """When lessons open, and how far the sleep window may shrink."""

    module_days = forms.IntegerField(label=_("Days between two lessons, at least"), min_value=0)
    module_nights = forms.IntegerField(
        label=_("Diary nights before the next lesson, at least"), min_value=0
    )
    floor_min = forms.IntegerField(label=_("Shortest sleep window, in minutes"), min_value=1)
    extend_at = forms.IntegerField(
        label=_("Longer from a sleep efficiency of, in per cent"), min_value=1, max_value=100
    )
    cut_below = forms.IntegerField(
        label=_("Shorter below a sleep efficiency of, in per cent"), min_value=1, max_value=100
    )
    WINDOW = ("floor_min", "extend_at", "cut_below")

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return the settings, stated or the default."""
        plan = protocol.skills
        return {
            name: getattr(plan.window if name in self.WINDOW else plan, name)
            for name in self.fields
        }

    def parts(self) -> Parts:
        """Return the protocol's parts with these settings; the others stay."""
        before = self.plain.get("cbt", {})
        own = {k: v for k, v in self.cleaned_data.items() if k not in self.WINDOW}
        window = {name: self.cleaned_data[name] for name in self.WINDOW}
        cbt = {**before, **own, "window": {**before.get("window", {}), **window}}
        return {**self.plain, "cbt": cbt}


class TextsStep(StepForm):
    """What participants read before they agree, page by page in each language."""

    def add_fields(self) -> None:
        """Add a text for each language of the site."""
        for language, name in settings.LANGUAGES:
            self.fields[language] = forms.CharField(
                label=_("Consent text in %(language)s") % {"language": name},
                required=False,
                help_text=_("Each page begins with a line of # and its title."),
                widget=forms.Textarea(attrs={"rows": 18, "lang": language}),
            )
        self.fields["drop_questions"] = forms.BooleanField(
            label=_("Take away the questions whose page is gone"), required=False
        )

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return the texts there are."""
        return {
            text.language: "\n\n".join(f"{PAGE_MARK}{p.title}\n{p.body}" for p in text.pages)
            for text in protocol.texts
        }

    def clean(self) -> dict[str, object]:
        """Lose no question on a text unasked: this page could not bring it back."""
        cleaned = super().clean()
        if cleaned["drop_questions"]:
            return cleaned
        questions = self._questions()
        for language, _name in settings.LANGUAGES:
            n_pages = len(_pages(cleaned.get(language, "")))
            n_lost = sum(q["page"] > n_pages for q in questions.get(language, []))
            if n_lost:
                self.add_error(
                    language,
                    _(
                        "%(n)s questions ask about pages that would be gone. Keep the pages, or "
                        "tick the box below the texts; a protocol file brings new questions."
                    )
                    % {"n": n_lost},
                )
        return cleaned

    def parts(self) -> Parts:
        """Return the protocol's parts with these texts; those in other languages stay."""
        questions = self._questions()
        texts = {text["language"]: text for text in self.plain.get("texts", [])}
        for language, _name in settings.LANGUAGES:
            if pages := _pages(self.cleaned_data[language]):
                kept = [q for q in questions.get(language, []) if q["page"] <= len(pages)]
                texts[language] = {"language": language, "pages": pages, "questions": kept}
            else:
                texts.pop(language, None)
        return {**self.plain, "texts": list(texts.values())}

    def _questions(self) -> dict[str, list[dict]]:
        texts = self.plain.get("texts", [])
        return {text["language"]: text["questions"] for text in texts if "questions" in text}


class FileForm(forms.Form):
    """A protocol file to import."""

    file = forms.FileField(
        label=_("Protocol file"),
        help_text=_("As this page exports it (TOML)."),
        error_messages={"required": _("Choose a file")},
    )


class ListForm(forms.Form):
    """A statistician's randomisation list."""

    file = forms.FileField(
        label=_("Randomisation list"),
        help_text=_("CSV with the columns stratum and arm, in the order of use."),
        error_messages={"required": _("Choose a file")},
    )


class AmendmentForm(forms.Form):
    """Why a protocol is amended."""

    reason = forms.CharField(
        label=_("Why is the protocol amended?"),
        max_length=500,
        help_text=_("Kept with the version and in the audit trail."),
        error_messages={"required": _("Enter a reason")},
    )


class GivingUpForm(forms.Form):
    """Why what was submitted is given up."""

    reason = forms.CharField(
        label=_("Why is it given up?"),
        max_length=500,
        help_text=_("Kept with the version and in the audit trail."),
        error_messages={"required": _("Enter a reason")},
    )


class ApprovalForm(forms.Form):
    """When an amendment was approved."""

    approved_on = forms.DateField(
        label=_("Approved on"),
        help_text=_("The day of the ethics committee's decision, like 2026-11-22."),
        widget=forms.TextInput(attrs={"class": "short"}),
        error_messages={"required": _("Enter a date"), "invalid": _("Enter a date")},
    )


class ConfirmAmendmentForm(ApprovalForm, ProofForm):
    """When an amendment was approved, and the proof of who brings it into force."""

    field_order = ["approved_on", "password", "code"]


class ConfirmCourseForm(ProofForm):
    """Which course was read, and the proof of who confirms it."""

    sha256 = forms.CharField(widget=forms.HiddenInput)
    field_order = ["password", "code"]


STEPS: Mapping[str, type[StepForm]] = {
    "about": AboutStep,
    "arms": ArmsStep,
    "allocation": AllocationStep,
    "visits": VisitsStep,
    "eligibility": EligibilityStep,
    "screening": ScreeningStep,
    "music": MusicStep,
    "lessons": LessonsStep,
    "consent": ConsentStep,
    "texts": TextsStep,
    "reminders": RemindersStep,
    "safety": SafetyStep,
}
STEP_NAMES = {
    "about": _("Size"),
    "arms": _("Arms"),
    "allocation": _("Allocation"),
    "visits": _("Visits"),
    "eligibility": _("Who may take part"),
    "screening": _("Screening"),
    "music": _("Music"),
    "lessons": _("Lessons"),
    "consent": _("Consent"),
    "texts": _("Consent texts"),
    "reminders": _("Reminders"),
    "safety": _("Safety"),
}


def _bands(cuts: list[int]) -> list[str]:
    """Return the bands' names, such as `below 15` and `from 15`."""
    inner = [f"{low}-{high - 1}" for low, high in pairwise(cuts)]
    return [f"below {cuts[0]}", *inner, f"from {cuts[-1]}"]


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _pages(text: str) -> list[dict[str, str]]:
    pages = []
    for part in f"\n{text}".replace("\r\n", "\n").split(f"\n{PAGE_MARK}")[1:]:
        title, _line, body = part.partition("\n")
        pages.append({"title": title.strip(), "body": body.strip()})
    return pages
