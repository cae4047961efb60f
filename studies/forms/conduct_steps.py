"""The wizard's steps on how a trial is conducted: consent, reminders, safety."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from studies.design.protocol import Protocol
from studies.design.reminders import A_WEEK_MAX
from studies.design.safety import HOURS_MAX
from studies.forms.step import Numbers, Parts, StepForm

RULES_MIN, RULES_SPARE = 4, 2
AGREES_AT_AGE_MAX = 25
FOLLOW_UP_DAYS_MAX = 28
RULE_PARTS = ("name", "fact", "at_least", "rises_by", "due_hours")


def whole_number(label: str, low: int, high: int, help_text: str = "") -> forms.IntegerField:
    """Return a short field for a whole number."""
    return forms.IntegerField(
        label=label,
        min_value=low,
        max_value=high,
        help_text=help_text,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
    )


class ConsentStep(StepForm):
    """Whose agreement it takes, and that people can be reached."""

    permission_below_years = whole_number(
        _("Below this age a parent or guardian has to permit it"),
        0,
        AGREES_AT_AGE_MAX,
        _("In years. The law of the site decides. 0: nobody needs a permission."),
    )
    verify_contact = forms.BooleanField(
        label=_("Allocate only who was reached by their contact"),
        required=False,
        help_text=_("Who cannot be reached is lost before the study begins."),
    )

    mail_copies = forms.BooleanField(
        label=_("Mail the signed copies to participant and guardian"),
        required=False,
        help_text=_("To email addresses only. Both always find them on their private pages."),
    )

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return the plan, stated or the default."""
        return asdict(protocol.consent)

    def parts(self) -> Parts:
        """Return the protocol's parts with this plan."""
        return {**self.plain, "consent": self.cleaned_data}


class RemindersStep(StepForm):
    """When people are reminded, alike in every arm."""

    visit_days = Numbers(
        label=_("Days from a visit's day on which it is reminded of"),
        required=False,
        help_text=_(
            "Such as -2, 0, 2, 5: two days before, on the day, two and five days after. "
            "Empty: visits are not reminded of."
        ),
    )
    diary = forms.BooleanField(label=_("Remind of a morning's diary"), required=False)
    evening = forms.BooleanField(
        label=_("Remind once a week who has not taken part for days"), required=False
    )
    send_from = forms.CharField(
        label=_("Send from"),
        max_length=5,
        help_text=_("A time like 09:00, on the participant's own clock."),
        widget=forms.TextInput(attrs={"class": "short"}),
    )
    send_until = forms.CharField(
        label=_("Send until"),
        max_length=5,
        help_text=_("It is quiet at all other times."),
        widget=forms.TextInput(attrs={"class": "short"}),
    )
    a_week = whole_number(
        _("Reminders in seven days, at most"), 0, A_WEEK_MAX, _("Never more than one a day.")
    )

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return the plan, stated or the default."""
        return asdict(protocol.reminders)

    def parts(self) -> Parts:
        """Return the protocol's parts with this plan."""
        return {**self.plain, "reminders": self.cleaned_data}


class SafetyStep(StepForm):
    """Which answers want a look, by when, and where people find help."""

    not_ok_hours = whole_number(_("Look at “I am not OK” within so many hours"), 1, HOURS_MAX)
    serious_hours = whole_number(_("Report on a serious event within so many hours"), 1, HOURS_MAX)
    triage_hours = whole_number(_("Triage any other event within so many hours"), 1, HOURS_MAX)
    follow_up_days = whole_number(
        _("Days between two looks at an open event"), 1, FOLLOW_UP_DAYS_MAX
    )

    def add_fields(self) -> None:
        """Add help lines in each language, and a row of fields for each rule and a few more."""
        for language, name in settings.LANGUAGES:
            self.fields[_lines_in(language)] = forms.CharField(
                label=_("Help lines in %(language)s") % {"language": name},
                required=False,
                help_text=_(
                    "Shown on participants' pages. An empty line stands between two of them. "
                    "Empty: the site's own."
                ),
                widget=forms.Textarea(attrs={"rows": 4, "lang": language}),
            )
        self.n_rules = max(RULES_MIN, len(self.protocol.safety.rules) + RULES_SPARE)
        for number in range(1, self.n_rules + 1):
            self._add_rule(number)

    def _add_rule(self, number: int) -> None:
        place = {"number": number}
        short = {"class": "short"}
        self.fields[f"name_{number}"] = forms.CharField(
            label=_("Rule %(number)d: its name") % place,
            required=False,
            max_length=32,
            help_text=_("Letters, digits and underscores. Empty: no rule here."),
        )
        self.fields[f"fact_{number}"] = forms.CharField(
            label=_("Rule %(number)d: what it looks at") % place,
            required=False,
            help_text=_("A score like cpss_total, or one answer like psqi.d_a."),
        )
        for part, label in (
            ("at_least", _("Rule %(number)d: met from a value of")),
            ("rises_by", _("Rule %(number)d: or by a rise since baseline of")),
        ):
            self.fields[f"{part}_{number}"] = forms.FloatField(
                label=label % place, required=False, widget=forms.TextInput(attrs=short)
            )
        self.fields[f"due_hours_{number}"] = forms.IntegerField(
            label=_("Rule %(number)d: somebody looks within so many hours") % place,
            required=False,
            min_value=1,
            max_value=HOURS_MAX,
            widget=forms.TextInput(attrs={"inputmode": "numeric", **short}),
        )

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return hours, help lines, and the rules row by row."""
        found = asdict(protocol.safety)
        del found["rules"], found["help_lines"]
        for language, _name in settings.LANGUAGES:
            found[_lines_in(language)] = "\n\n".join(protocol.safety.lines_in(language))
        for number, rule in enumerate(protocol.safety.rules, start=1):
            for part in RULE_PARTS:
                value = getattr(rule, part)
                found[f"{part}_{number}"] = _plain(value) if isinstance(value, float) else value
        return found

    def parts(self) -> Parts:
        """Return the protocol's parts with these hours, rules and help lines."""
        before = json.loads(json.dumps(asdict(self.protocol.safety)))
        hours = {name: self.cleaned_data[name] for name in before if name in self.cleaned_data}
        rules = list(self._rules())
        if rules == before["rules"]:
            # The same numbers, written as they were.
            rules = before["rules"]
        safety = {**before, **hours, "rules": rules, "help_lines": self._help_lines()}
        return {**self.plain, "safety": safety}

    def _rules(self) -> Iterator[Parts]:
        stated = self.cleaned_data
        for number in range(1, self.n_rules + 1):
            if not stated[f"name_{number}"]:
                continue
            rule = {part: stated[f"{part}_{number}"] for part in RULE_PARTS}
            for bound in ("at_least", "rises_by"):
                rule[bound] = _plain(rule[bound])
            if rule["due_hours"] is None:
                del rule["due_hours"]
            yield rule

    def _help_lines(self) -> list[Parts]:
        """Return the lines; those of a language that was left alone stay where they are."""
        lines = [asdict(line) for line in self.protocol.safety.help_lines]
        for language, _name in settings.LANGUAGES:
            typed = _paragraphs(self.cleaned_data[_lines_in(language)])
            before = [text for line in lines if line["language"] == language
                      for text in _paragraphs(line["text"])]  # fmt: skip
            if typed != before:
                lines = [line for line in lines if line["language"] != language]
                lines += [{"language": language, "text": text} for text in typed]
        return lines


def _lines_in(language: str) -> str:
    return f"help_{language}"


def _paragraphs(text: str) -> list[str]:
    parts = text.replace("\r\n", "\n").split("\n\n")
    return [part.strip() for part in parts if part.strip()]


def _plain(value: float | None) -> float | None:
    """Return a whole number as one, so that it is written without a point."""
    return int(value) if value is not None and value == int(value) else value
