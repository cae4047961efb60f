"""The protocol's pages: read, set up step by step, import, rehearse, amend."""

from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from studies.design.parts import ConsentPlan
from studies.design.protocol import four_arms
from studies.design.protocol_file import read, write
from studies.design.reminders import ReminderPlan
from studies.design.safety import HelpLine, SafetyPlan, SafetyRule, cautious_rules
from studies.design.screening import ScreeningPlan, ScreeningQuestion
from studies.forms.protocol import STEPS
from studies.models.protocol import VersionState
from studies.models.study import Role, Study, StudyState
from studies.services.protocol.members import add_site
from studies.services.protocol.versions import save_draft
from studies.services.trail.audit import SYSTEM
from tests.factories import PASSWORD, clinician_of, make_participant, make_staff, make_study
from tests.studies.services.test_allocation_methods import LIST_PLAN, SLOTS, _csv
from tests.studies.views.browsers import clinician_in, desk_of
from therapy_site.demonstration import current_code

pytestmark = pytest.mark.django_db


def page_of(study, name, *more):
    return reverse(f"studies:{name}", args=[study.code, *more])


def shown(client, study, key):
    """Return what a step's form would send if nothing was changed."""
    form = client.get(page_of(study, "set_up", key)).context["form"]
    sent = {}
    for field in form:
        value = field.value()
        if isinstance(value, list):
            sent[field.name] = [str(one) for one in value]
        elif value is True:
            sent[field.name] = "on"
        elif value not in {None, False, ""}:
            sent[field.name] = str(value)
    return sent


def reread(study):
    return Study.objects.get(pk=study.pk)


def test_going_through_every_step_unchanged_changes_nothing():
    study = make_study(is_open=False, protocol=four_arms())
    client = clinician_in(study)
    address = page_of(study, "set_up", "about")
    for key in STEPS:
        assert address == page_of(study, "set_up", key)
        response = client.post(address, shown(client, study, key))
        assert response.status_code == 302, (key, response.context["form"].errors)
        address = response.url
    assert address == page_of(study, "rehearsal")
    assert reread(study).plan == four_arms()
    assert "Nothing stands in the way" in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("key", "changes", "check"),
    [
        ("about", {"participants_planned": "120"}, lambda p: p.participants_planned == 120),
        (
            "arms",
            {"code_5": "CBT-2", "gives_5": "cbt", "ratio_5": "4"},
            lambda p: (p.arms[4].code, p.arms[4].ratio) == ("CBT-2", 4),
        ),
        (
            "allocation",
            {"method": "minimisation", "by_site": "on", "age_cuts": "14, 16",
             "stress_cuts": "33"},
            lambda p: [f.name for f in p.factors] == ["sex", "site", "age", "stress"]
            and p.factors[2].levels == ("below 14", "14-15", "from 16"),
        ),
        ("allocation", {"method": "simple", "by_sex": ""}, lambda p: p.method == "simple"),
        (
            "visits",
            {"week_3": "26", "window_3": "13", "instruments_3": ["psqi"]},
            lambda p: p.visits[3].week == 26 and p.visits[1].may_decline,
        ),
        (
            "visits",
            {"week_3": "26", "window_3": "9", "instruments_3": ["psqi"], "treatment_weeks": "8"},
            lambda p: (p.treatment_weeks, p.visits[3].late_days, p.visits[3].may_decline)
            == (8, 7, True),
        ),
        ("eligibility", {"psqi_from": "6"}, lambda p: len(p.eligibility) == 3),
        (
            "music",
            {"tempo_max_bpm": "60", "styles": ["folk"]},
            lambda p: p.music.styles == ("folk",),
        ),
        (
            "music",
            {"nights_ahead": "5", "downloads": ["mp3", "midi"]},
            lambda p: (p.music.nights_ahead, p.music.downloads) == (5, ("mp3", "midi")),
        ),
        ("music", {"nights_ahead": ""}, lambda p: p.music.nights_ahead == 3),
        ("lessons", {"floor_min": "450"}, lambda p: p.skills.window.floor_min == 450),
        (
            "texts",
            {"en": "# One\nIdea.\n\n# Two\nMore.", "zh-hans": "# 一\n想法。\n# 二\n更多。",
             "drop_questions": "on"},
            lambda p: [page.title for page in p.texts[0].pages] == ["One", "Two"],
        ),
        (
            "screening",
            {"cpss_at_least": "26", "name_1": "apnoea", "text_1_en": "Do you stop breathing?",
             "text_1_zh-hans": "\u60a8\u4f1a\u505c\u6b62\u547c\u5438\u5417\uff1f"},
            lambda p: p.screening.cpss_at_least == 26
            and p.screening.questions[0].excludes == "yes",
        ),
        (
            "consent",
            {"permission_below_years": "16", "verify_contact": "", "mail_copies": ""},
            lambda p: p.consent == ConsentPlan(16),
        ),
        (
            "reminders",
            {"visit_days": "-1, 0, 3", "diary": "", "send_from": "08:30", "a_week": "3"},
            lambda p: p.reminders == ReminderPlan((-1, 0, 3), diary=False, send_from="08:30",
                                                  a_week=3),
        ),
        (
            "safety",
            {"name_3": "nightmares", "fact_3": "psqi.d_h", "at_least_3": "3",
             "due_hours_3": "24", "name_1": "", "help_en": "Call 1.\n\nCall 2.",
             "not_ok_hours": "12"},
            lambda p: p.safety == SafetyPlan(
                (cautious_rules()[1], SafetyRule("nightmares", "psqi.d_h", 3, due_hours=24)),
                (HelpLine("en", "Call 1."), HelpLine("en", "Call 2.")),
                not_ok_hours=12,
            ),
        ),
    ],
)  # fmt: skip
def test_each_step_saves_its_part(key, changes, check):
    study = make_study(is_open=False, protocol=four_arms())
    add_site(study=study, code="NORTH", name="North", actor=SYSTEM)
    client = clinician_in(study)
    if key == "arms":
        save_draft(
            study=study, protocol=replace(study.plan, method="simple", factors=()), actor=SYSTEM
        )
    sent = {**shown(client, study, key), **changes}
    response = client.post(page_of(study, "set_up", key), {k: v for k, v in sent.items() if v})
    assert response.status_code == 302, response.context["form"].errors
    assert check(reread(study).plan)


@pytest.mark.parametrize(
    ("key", "changes", "words"),
    [
        ("allocation", {"block_sizes": "4"}, "larger than 4"),
        ("allocation", {"block_sizes": "eight"}, "Enter whole numbers"),
        ("visits", {"week_2": "5"}, "windows that do not overlap"),
        ("visits", {"treatment_weeks": "5"}, "treatment until one of the weeks [4, 8]"),
        ("eligibility", {"age_from": "19"}, "a lower or an upper bound"),
        ("arms", {"code_2": "CBT"}, "code of its own"),
        ("lessons", {"cut_below": "95"}, "cut_below"),
        ("texts", {"en": "# Only a title", "drop_questions": "on"}, "a title and a body"),
        ("texts", {"en": "# One\nIdea."}, "ask about pages that would be gone"),
        ("texts", {"zh-hans": ""}, "ask about pages that would be gone"),
        ("about", {"participants_planned": "many"}, "whole number"),
        ("consent", {"permission_below_years": "40"}, "less than or equal to 25"),
        ("reminders", {"send_from": "20:00"}, "hours to send in"),
        ("reminders", {"visit_days": "5, 2"}, "ascending days"),
        ("safety", {"at_least_1": "20"}, "either at_least or rises_by"),
        ("safety", {"name_2": "sleep_worse"}, "different names"),
    ],
)
def test_a_step_that_contradicts_the_rest_is_kept_on_the_page_with_the_reason(key, changes, words):
    study = make_study(is_open=False, protocol=four_arms())
    client = clinician_in(study)
    response = client.post(page_of(study, "set_up", key), shown(client, study, key) | changes)
    assert response.status_code == 200
    page = response.content.decode()
    assert words in page
    assert "error-summary" in page
    assert reread(study).plan == four_arms()


def test_the_steps_leave_what_a_file_says_as_it_is():
    """Numbers with a point, lines of a language that the site lacks, paragraphs: all of it."""
    safety = SafetyPlan(
        (SafetyRule("high", "cpss_total", at_least=40.0), SafetyRule("half", "psqi_total", 10.5)),
        (HelpLine("de", "Ruf an."), HelpLine("en", "Call us.\n\nDay and night."),
         HelpLine("zh-hans", "来电。")),
    )  # fmt: skip
    reminders = ReminderPlan((), diary=False, evening=False, a_week=1)
    consent = ConsentPlan(14, verify_contact=True)
    texts = (("de", "Schnarchst du?"), ("en", "Do you snore?"), ("zh-hans", "\u6253\u9f3e\u5417"))
    screening = ScreeningPlan((ScreeningQuestion("snoring", "no", texts),), 20)
    before = replace(
        four_arms(), safety=safety, reminders=reminders, consent=consent, screening=screening
    )
    study = make_study(is_open=False, protocol=before)
    client = clinician_in(study)
    for key in ("screening", "consent", "reminders", "safety"):
        assert client.post(page_of(study, "set_up", key), shown(client, study, key)).url
    assert reread(study).plan.sha256 == before.sha256
    assert read(write(reread(study).plan)).sha256 == before.sha256


def test_a_text_in_a_language_that_the_site_lacks_stays_with_its_questions():
    english = four_arms().texts[0]
    german = replace(english, language="de")
    before = replace(four_arms(), texts=(german, *four_arms().texts))
    study = make_study(is_open=False, protocol=before)
    client = clinician_in(study)
    sent = shown(client, study, "texts")
    assert client.post(page_of(study, "set_up", "texts"), sent).status_code == 302
    assert reread(study).plan == before
    assert english.questions
    emptied = client.post(page_of(study, "set_up", "texts"), sent | {"en": ""})
    assert "ask about pages that would be gone" in emptied.content.decode()


def test_a_step_that_does_not_exist_is_no_page():
    study = make_study(is_open=False)
    assert clinician_in(study).get(page_of(study, "set_up", "nowhere")).status_code == 404


def test_a_protocol_goes_out_as_a_file_and_comes_back():
    study = make_study(is_open=False, protocol=four_arms())
    client = clinician_in(study)
    response = client.get(page_of(study, "protocol_file"))
    assert read(response.content.decode()) == four_arms()
    assert "attachment" in response["Content-Disposition"]
    changed = write(replace(four_arms(), night_minutes=55)).encode()
    file = SimpleUploadedFile("p.toml", changed)
    assert client.post(page_of(study, "protocol_load"), {"file": file}).status_code == 302
    assert reread(study).plan.night_minutes == 55


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The submitted file is empty"),
        (b"\xff\xfe", "UTF-8"),
        (b"format = 1", "expected arms, got nothing"),
        (b"x" * (600 * 1024), "at most"),
    ],
)
def test_a_file_that_will_not_do_is_refused_with_everything_that_is_wrong(content, words):
    study = make_study(is_open=False, protocol=four_arms())
    file = SimpleUploadedFile("p.toml", content)
    page = clinician_in(study).post(page_of(study, "protocol_load"), {"file": file})
    assert page.status_code == 200
    assert words in page.content.decode()
    assert reread(study).plan == four_arms()


def test_the_dry_run_tells_what_stands_in_the_way():
    study = make_study(is_open=False, protocol=replace(four_arms(), texts=four_arms().texts[:1]))
    page = clinician_in(study).get(page_of(study, "rehearsal")).content.decode()
    assert "there is no consent text in zh-hans" in page


def test_an_amendment_goes_its_way_by_pages():
    study = make_study(protocol=four_arms())
    client = clinician_in(study)
    sent = shown(client, study, "music") | {"night_minutes": "45"}
    assert client.post(page_of(study, "set_up", "music"), sent).status_code == 302
    page = client.get(page_of(study, "protocol")).content.decode()
    assert "Submit the amendment" in page
    assert client.get(page_of(study, "protocol_version", 2)).status_code == 200
    changes = client.get(page_of(study, "protocol_version", 2)).content.decode()
    assert "Minutes of music a night" in changes
    client.post(page_of(study, "protocol_submit"), {"reason": ""})
    assert study.protocol_versions.get(number=2).state == VersionState.DRAFT
    client.post(page_of(study, "protocol_submit"), {"reason": "longer nights"})
    client.post(page_of(study, "protocol_activate"), {"approved_on": "soon"})
    assert study.protocol_versions.get(number=2).state == VersionState.SUBMITTED
    client.post(page_of(study, "protocol_activate"), {"approved_on": "2026-03-01"})
    assert reread(study).plan.night_minutes == 45
    assert "longer nights" in client.get(page_of(study, "protocol")).content.decode()
    sent = shown(client, study, "consent") | {"permission_below_years": "16"}
    client.post(page_of(study, "set_up", "consent"), sent)
    changes = client.get(page_of(study, "protocol_version", 3)).content.decode()
    assert "permission below years" in changes


def test_an_amendment_of_the_allocation_is_refused_in_words():
    study = make_study(protocol=four_arms())
    client = clinician_in(study)
    sent = shown(client, study, "allocation") | {"block_sizes": "8, 16"}
    client.post(page_of(study, "set_up", "allocation"), sent)
    response = client.post(page_of(study, "protocol_submit"), {"reason": "x"}, follow=True)
    assert "Allocation is never amended" in response.content.decode()
    sent = shown(client, study, "music") | {"night_minutes": "45"}
    assert client.post(page_of(study, "set_up", "music"), sent).status_code == 302


def test_a_submitted_amendment_is_given_up_for_a_reason():
    study = make_study(protocol=four_arms())
    client = clinician_in(study)
    sent = shown(client, study, "music") | {"night_minutes": "45"}
    client.post(page_of(study, "set_up", "music"), sent)
    client.post(page_of(study, "protocol_submit"), {"reason": "longer"})
    blocked = client.post(page_of(study, "set_up", "music"), sent)
    assert "comes into force first" in blocked.content.decode()
    assert "Why is it given up?" in client.get(page_of(study, "protocol")).content.decode()
    client.post(page_of(study, "protocol_drop"), {"reason": ""})
    assert study.protocol_versions.get(number=2).state == VersionState.SUBMITTED
    client.post(page_of(study, "protocol_drop"), {"reason": "the committee said no"})
    assert study.protocol_versions.get(number=2).state == VersionState.SUPERSEDED


def test_the_second_person_confirms_an_amendment_with_their_second_factor(settings):
    study = make_study(protocol=replace(four_arms(), two_people_open=True))
    settings.NOCTURNE_MODE = "real"
    first, account = clinician_in(study), make_staff(Role.COORDINATOR, study=study)
    second, page = desk_of(account), page_of(study, "confirm_amendment", 2)
    assert second.get(page).status_code == 302
    amended = replace(study.plan, night_minutes=45, two_people_open=False)
    save_draft(study=study, protocol=amended, actor=SYSTEM)
    first.post(page_of(study, "protocol_submit"), {"reason": "longer nights"})
    said = first.post(
        page_of(study, "protocol_activate"), {"approved_on": "2026-03-01"}, follow=True
    )
    assert "A second person has to confirm it" in said.content.decode()
    assert page not in first.get(page_of(study, "study")).content.decode()
    for where in ("study", "protocol"):
        assert page in second.get(page_of(study, where)).content.decode()
    shown = second.get(page).content.decode()
    assert "longer nights" in shown
    assert "Two people open and amend" in shown
    proof = {"approved_on": "2026-03-01", "password": PASSWORD}
    own = first.post(page, proof | {"code": current_code(clinician_of(study))})
    assert "somebody else than who asked" in own.content.decode()
    wrong = second.post(page, proof | {"code": "000000"})
    assert "The password or the code is not right" in wrong.content.decode()
    assert reread(study).plan.night_minutes == study.plan.night_minutes
    assert second.post(page, proof | {"code": current_code(account)}).status_code == 302
    assert reread(study).plan.night_minutes == 45
    assert second.get(page).status_code == 302


def test_who_confirms_an_amendment_reads_each_page_of_the_text_that_changes():
    study = make_study(protocol=four_arms())
    first, other = study.plan.texts
    *kept, last = first.pages
    longer = replace(last, body=f"{last.body}\nWe also ask how you liked it.")
    text = replace(first, pages=(*kept, longer))
    save_draft(study=study, protocol=replace(study.plan, texts=(text, other)), actor=SYSTEM)
    response = clinician_in(study).get(page_of(study, "protocol_version", 2))
    [change] = response.context["changes"]
    assert change["where"] == f"Consent text in {first.language} pages {len(first.pages)}"
    assert last.body in change["before"]
    assert change["after"].endswith("We also ask how you liked it.")
    assert "We also ask how you liked it." in response.content.decode()


def test_a_statistician_imports_a_list_and_the_study_opens():
    study = make_study(is_open=False, protocol=LIST_PLAN)
    client = desk_of(make_staff(Role.STATISTICIAN, study=study))
    address = page_of(study, "sequence")
    bad = SimpleUploadedFile("list.csv", _csv("MCMG", "ELSE").encode())
    page = client.post(address, {"file": bad}).content.decode()
    assert "line 3" in page
    assert "ELSE" not in page
    for content, words in ((b"\xff", "UTF-8"), (b"", "empty")):
        file = SimpleUploadedFile("list.csv", content)
        assert words in client.post(address, {"file": file}).content.decode()
    good = SimpleUploadedFile("list.csv", _csv(*SLOTS).encode())
    assert client.post(address, {"file": good}).status_code == 302
    clinician_in(study).post(page_of(study, "study_open"))
    assert reread(study).state == StudyState.OPEN
    make_participant("allocated", study=reread(study))
    page = client.get(address).content.decode()
    assert "Every allocation followed the sequence" in page
    assert "sex=female" in page


def test_the_simulation_is_shown_to_those_who_plan():
    study = make_study(is_open=False, protocol=replace(four_arms(), participants_planned=20))
    page = clinician_in(study).get(page_of(study, "simulation")).content.decode()
    assert "simulated trials of 20 people" in page
    listed = make_study(is_open=False, protocol=LIST_PLAN)
    page = clinician_in(listed).get(page_of(listed, "simulation")).content.decode()
    assert "nothing to simulate" in page


def test_the_trail_of_a_blinded_study_tells_nothing_that_gives_an_arm_away():
    study = make_study()
    for _ in range(4):
        make_participant("week4", study=study)
    client = desk_of(make_staff(Role.AUDITOR, study=study))
    page = client.get(page_of(study, "trail")).content.decode()
    assert "allocate" in page
    for kind in ("playlist", "listening", "lesson", "diary", "sleepwindow", "message"):
        assert kind not in page
