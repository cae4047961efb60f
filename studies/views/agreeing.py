"""Reading a consent text and showing that it was understood: the same for child and guardian."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from studies.forms.agreeing import QuestionsForm
from studies.models.consent import Consent, ConsentText
from studies.models.participant import TAKES_PART, Participant
from studies.services.entry.consent import answer_questions, has_understood
from studies.services.entry.copies import copies_of, copy_of
from studies.services.entry.majority import agreements_missing
from studies.views.posting import posted


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a text, as what, and where: `pages` begins the names of their addresses."""

    participant: Participant
    role: str
    text: ConsentText
    pages: str
    base: str

    def url(self, step: str, *args: object) -> str:
        """Return the address of one of the reader's pages."""
        return reverse(f"studies:{self.pages}_{step}", args=args)

    @property
    def has_understood(self) -> bool:
        """Whether a yes would count now."""
        return has_understood(self.participant, self.text, self.role)

    @property
    def is_again(self) -> bool:
        """Whether somebody who takes part already is asked once more."""
        takes_part = self.participant.state in TAKES_PART
        return takes_part and self.role in agreements_missing(self.participant)

    @property
    def after_reading(self) -> str:
        """Where the last page leads."""
        return self.url("decide" if self.has_understood else "questions")

    def context(self, **more: object) -> dict[str, object]:
        """Return what the reader's templates need."""
        return {"participant": self.participant, "text": self.text, "base": self.base, **more}


def text_page(
    request: HttpRequest, reader: Reader, number: int, opening: Mapping[str, object] | None = None
) -> HttpResponse:
    """Show one page of the text: one idea; `opening` is what the first one says besides."""
    pages = reader.text.pages
    if not 1 <= number <= len(pages):
        raise Http404
    content = pages[number - 1]
    is_first, is_last = number == 1, number == len(pages)
    context = reader.context(
        **((opening or {}) if is_first else {}),
        number=number,
        total=len(pages),
        title=content["title"],
        paragraphs=content["body"].strip().splitlines(),
        previous="" if is_first else reader.url("page", number - 1),
        following=reader.after_reading if is_last else reader.url("page", number + 1),
    )
    return render(request, "studies/participant/consent_page.html", context)


def questions_page(request: HttpRequest, reader: Reader) -> HttpResponse:
    """Ask what was understood, and say what to read again; asked once it is not asked any more."""
    if reader.has_understood:
        return redirect(reader.url("decide"))
    form = QuestionsForm(posted(request), questions=reader.text.questions)
    if form.is_valid():
        missed = answer_questions(
            participant=reader.participant, text=reader.text, chosen=form.chosen, role=reader.role
        )
        if not missed:
            return redirect(reader.url("decide"))
        form.mark(missed)
    last = reader.url("page", len(reader.text.pages))
    context = reader.context(form=form, previous=last, first=reader.url("page", 1))
    return render(request, "studies/consent/questions.html", context)


def copy_file(participant: Participant, pk: int) -> HttpResponse:
    """Send a signed copy; one's own only."""
    signed = [consent.pk for consent in copies_of(participant)]
    consent = get_object_or_404(Consent, pk=pk, pk__in=signed)
    response = HttpResponse(copy_of(consent), content_type="application/pdf")
    # No name in the file's name: it may lie about on a shared computer.
    response["Content-Disposition"] = f'attachment; filename="consent-{consent.text.version}.pdf"'
    return response
