"""Every address of the trial, by the people it belongs to."""

from datetime import date

from django.urls import path, register_converter

from studies.views.clinic import answers as clinic_answers
from studies.views.clinic import (
    care,
    closing,
    contact_check,
    contact_correction,
    quality,
    safety,
    unblindings,
)
from studies.views.clinic import guardian as clinic_guardian
from studies.views.clinic import paper as clinic_paper
from studies.views.clinic import participant as clinic_participant
from studies.views.clinic import place as clinic_place
from studies.views.clinic import reminders as clinic_reminders
from studies.views.clinic import screening as clinic_screening
from studies.views.clinic import study as clinic
from studies.views.guardian import entry as guardian_entry
from studies.views.guardian import permitting
from studies.views.participant import (
    assessing,
    calendar,
    consenting,
    contact,
    diary,
    entry,
    home,
    lessons,
    messages,
    morning,
    not_ok,
    offline,
    reminders,
    screening,
    tonight,
    zone,
)
from studies.views.research import (
    adherence,
    analysis,
    exports,
    flow,
    protocol,
    results,
    sequence,
    team,
    trail,
)


class DayConverter:
    """A date as 2026-11-22."""

    regex = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    to_python = staticmethod(date.fromisoformat)
    to_url = staticmethod(str)


register_converter(DayConverter, "day")

app_name = "studies"

PERSON = "clinic/<slug:study>/p/<str:code>"
RUN = "research/<slug:study>/analysis/<uuid:key>"
EXPORT = "research/<slug:study>/exports/<uuid:key>"
CARE_OF = "care/<slug:study>/p/<str:code>"

everybody = [
    path("", entry.front, name="front"),
    path("language/", entry.language, name="language"),
    path("p/<str:token>/", entry.private_link, name="private_link"),
    path("p/<str:token>/pin/", entry.link_pin, name="link_pin"),
    path("me/pin/", entry.pin, name="pin"),
    path("g/<str:token>/", guardian_entry.private_link, name="guardian_link"),
    path("g/<str:token>/pin/", guardian_entry.link_pin, name="guardian_link_pin"),
    path("guardian/pin/", guardian_entry.pin, name="guardian_pin"),
    path("guardian/sign-out/", guardian_entry.leave, name="guardian_leave"),
    path("me/help/", entry.help_page, name="help"),
    path("r/<str:token>/", reminders.stop, name="mail_stop"),
    path("me/worker.js", offline.worker, name="worker"),
    path("me/offline/", offline.page, name="offline"),
    path("me/sign-out/", entry.leave, name="leave"),
]
participants = [
    path("me/", home.today, name="today"),
    path("me/consent/", consenting.first, name="consent"),
    path("me/consent/<int:number>/", consenting.page, name="consent_page"),
    path("me/consent/questions/", consenting.questions, name="consent_questions"),
    path("me/consent/copies/", consenting.copies, name="consent_copies"),
    path("me/consent/copies/<int:pk>/", consenting.copy, name="consent_copy"),
    path("me/screening/", screening.page, name="my_screening"),
    path("me/contact/", contact.page, name="my_contact"),
    path("me/waiting/", consenting.waiting, name="waiting"),
    path("me/consent/decide/", consenting.decide, name="consent_decide"),
    path("me/consent/check/", consenting.check, name="consent_check"),
    path("me/consent/talk/", consenting.talk, name="consent_talk"),
    path("me/assess/<int:pk>/", assessing.begin, name="assess"),
    path("me/assess/<int:pk>/check/", assessing.check, name="assess_check"),
    path("me/assess/<int:pk>/thanks/", assessing.thanks, name="assess_thanks"),
    path("me/assess/<int:pk>/<slug:item>/", assessing.item, name="assess_item"),
    path("me/music/", home.music, name="music"),
    path("me/group/", home.group, name="group"),
    path("me/tonight/", tonight.page, name="tonight"),
    path("me/tonight/again/", tonight.again, name="tonight_again"),
    path("me/tonight/status", tonight.status, name="tonight_status"),
    path("me/tonight/audio/<uuid:track>/", tonight.audio, name="tonight_audio"),
    path("me/tonight/volume/<uuid:track>/", tonight.volume, name="tonight_volume"),
    path("me/tonight/keep/<uuid:track>/<slug:form>/", tonight.keep, name="tonight_keep"),
    path("me/tonight/rate/", tonight.rate, name="tonight_rate"),
    path("me/tonight/heard", tonight.heard, name="tonight_heard"),
    path("me/lessons/", lessons.listing, name="lessons"),
    path("me/lesson/<slug:key>/<int:number>/", lessons.card, name="lesson"),
    path("me/lesson/<slug:key>/done/", lessons.done, name="lesson_done"),
    path("me/diary/<day:morning>/", diary.begin, name="diary"),
    path("me/diary/<day:morning>/check/", diary.check, name="diary_check"),
    path("me/diary/<day:morning>/thanks/", diary.thanks, name="diary_thanks"),
    path("me/diary/<day:morning>/usual/", diary.usual, name="diary_usual"),
    path("me/diary/<day:morning>/<slug:item>/", diary.item, name="diary_item"),
    path("me/messages/", messages.thread, name="messages"),
    path("me/mornings/", morning.listing, name="mornings"),
    path("me/morning/<day:morning>/", morning.begin, name="morning"),
    path("me/morning/<day:morning>/check/", morning.check, name="morning_check"),
    path("me/morning/<day:morning>/<slug:item>/", morning.item, name="morning_item"),
    path("me/blank/<slug:instrument>/", offline.blank, name="blank"),
    path("me/not-ok/", not_ok.page, name="not_ok"),
    path("me/calendar/", calendar.days, name="my_calendar"),
    path("me/reminders/", reminders.choice, name="my_reminders"),
    path("me/place/", zone.place, name="my_place"),
    path("me/stop/", home.stop, name="stop"),
]
guardians = [
    path("guardian/", permitting.home, name="guardian"),
    path("guardian/text/<int:number>/", permitting.page, name="permission_page"),
    path("guardian/questions/", permitting.questions, name="permission_questions"),
    path("guardian/decide/", permitting.decide, name="permission_decide"),
    path("guardian/talk/", permitting.talk, name="permission_talk"),
    path("guardian/copies/<int:pk>/", permitting.copy, name="permission_copy"),
    path("guardian/take-back/", permitting.take_back, name="permission_take_back"),
]
clinicians = [
    path("clinic/", clinic.studies, name="clinic"),
    path("clinic/new/", clinic.new, name="study_new"),
    path("clinic/<slug:study>/", clinic.study, name="study"),
    path("clinic/<slug:study>/open/", clinic.open_to_recruits, name="study_open"),
    path("clinic/<slug:study>/open/confirm/", clinic.confirm_opening, name="confirm_opening"),
    path("clinic/<slug:study>/screening/", clinic_screening.page, name="screening"),
    path("clinic/<slug:study>/invite/", clinic.invite, name="invite"),
    path("clinic/<slug:study>/people/", team.people, name="people"),
    path("clinic/<slug:study>/people/<int:pk>/revoke/", team.revoke, name="revoke_role"),
    path("clinic/<slug:study>/people/<int:pk>/on-call/", team.on_call, name="on_call"),
    path("clinic/<slug:study>/sites/", team.sites, name="sites"),
    path("clinic/<slug:study>/sites/<int:pk>/", team.site_approval, name="site_approval"),
    path("clinic/<slug:study>/protocol/", protocol.page, name="protocol"),
    path("clinic/<slug:study>/protocol/file/", protocol.export, name="protocol_file"),
    path("clinic/<slug:study>/protocol/load/", protocol.load, name="protocol_load"),
    path("clinic/<slug:study>/protocol/submit/", protocol.submit, name="protocol_submit"),
    path("clinic/<slug:study>/protocol/activate/", protocol.activate, name="protocol_activate"),
    path("clinic/<slug:study>/protocol/drop/", protocol.drop, name="protocol_drop"),
    path("clinic/<slug:study>/protocol/<int:number>/", protocol.version, name="protocol_version"),
    path(
        "clinic/<slug:study>/protocol/<int:number>/confirm/",
        protocol.confirm,
        name="confirm_amendment",
    ),
    path("clinic/<slug:study>/protocol/lessons/", protocol.confirm_lessons, name="confirm_course"),
    path("clinic/<slug:study>/set-up/<slug:key>/", protocol.step, name="set_up"),
    path("clinic/<slug:study>/dry-run/", protocol.rehearsal, name="rehearsal"),
    path("clinic/<slug:study>/sequence/", sequence.sequence, name="sequence"),
    path("clinic/<slug:study>/simulation/", sequence.simulation, name="simulation"),
    path("clinic/<slug:study>/trail/", trail.trail, name="trail"),
    path("clinic/<slug:study>/trail/review/", trail.review, name="trail_review"),
    path("clinic/<slug:study>/flow/", flow.flow, name="flow"),
    path("clinic/<slug:study>/close/", clinic.close, name="study_close"),
    path("clinic/<slug:study>/database/", closing.database, name="database"),
    path("clinic/<slug:study>/database/<int:pk>/", closing.unlock_database, name="unlock_database"),
    path("clinic/<slug:study>/unblindings/", unblindings.page, name="unblindings"),
    path(
        "clinic/<slug:study>/unblindings/<int:pk>/notice/",
        unblindings.send_again,
        name="unblinding_notice",
    ),
    path("clinic/<slug:study>/erasure/", closing.erasure, name="erasure"),
    path("clinic/<slug:study>/adherence/", adherence.adherence, name="adherence"),
    path("clinic/<slug:study>/recruitment/", adherence.recruitment, name="recruitment"),
    path("clinic/<slug:study>/safety/", safety.inbox, name="safety"),
    path("clinic/<slug:study>/safety/<int:pk>/", safety.item, name="item"),
    path("clinic/<slug:study>/events/<int:pk>/", safety.event, name="event"),
    path("clinic/<slug:study>/deviations/", quality.deviations, name="deviations"),
    path("clinic/<slug:study>/deviations/<int:pk>/", quality.deviation, name="deviation"),
    path("clinic/<slug:study>/queries/", quality.queries, name="queries"),
    path("clinic/<slug:study>/queries/<int:pk>/", quality.query, name="query"),
    path(f"{PERSON}/harms/", safety.harms, name="harms"),
    path(f"{PERSON}/event/", safety.new_event, name="event_new"),
    path(f"{PERSON}/deviation/", quality.new_deviation, name="deviation_new"),
    path(f"{PERSON}/ask/", quality.ask, name="ask"),
    path(f"{PERSON}/", clinic_participant.page, name="participant"),
    path(f"{PERSON}/allocate/", clinic_participant.allocate, name="allocate"),
    path(f"{PERSON}/link/", clinic_participant.reissue, name="reissue"),
    path(f"{PERSON}/revoke/", clinic_participant.revoke, name="revoke"),
    path(f"{PERSON}/guardian/", clinic_guardian.name_guardian, name="guardian_name"),
    path(f"{PERSON}/guardian/link/", clinic_guardian.reissue, name="guardian_reissue"),
    path(f"{PERSON}/screening/", clinic_screening.enter, name="screening_answers"),
    path(f"{PERSON}/contact/check/", contact_check.page, name="contact_check"),
    path(f"{PERSON}/contact/correct/", contact_correction.page, name="contact_correction"),
    path(f"{PERSON}/contact/", clinic_participant.reveal, name="reveal"),
    path(f"{PERSON}/paper/<int:pk>/", clinic_paper.enter_paper, name="enter_paper"),
    path(f"{PERSON}/paper/<int:pk>/form/", clinic_paper.paper_form, name="paper_form"),
    path(f"{PERSON}/answers/<int:pk>/", clinic_answers.answers, name="answers"),
    path(f"{PERSON}/answers/<int:pk>/<slug:item>/", clinic_answers.correct, name="correct"),
    path(f"{PERSON}/place/", clinic_place.page, name="place"),
    path(f"{PERSON}/reminders/", clinic_reminders.page, name="reminders"),
    path(f"{PERSON}/copies/<int:pk>/", clinic_reminders.settle_copy, name="settle_copy"),
    path(f"{PERSON}/withdraw/", clinic_participant.withdraw, name="withdraw"),
    path(f"{PERSON}/erase/", closing.erase_contact, name="erase_contact"),
    path(f"{PERSON}/locks/", closing.locks, name="locks"),
    path(f"{PERSON}/locks/<int:pk>/", closing.unlock, name="unlock"),
    path(f"{PERSON}/sign/", closing.sign, name="sign"),
    path(f"{PERSON}/unblind/", closing.break_blind, name="break_blind"),
    path(f"{PERSON}/unblinded/", closing.report_unblinding, name="report_unblinding"),
]
therapists = [
    path("care/<slug:study>/", care.listing, name="care_listing"),
    path("care/<slug:study>/course/", care.course, name="care_course"),
    path("care/<slug:study>/course/drop/", care.drop_changed_course, name="care_course_drop"),
    path(f"{CARE_OF}/", care.page, name="care"),
    path(f"{CARE_OF}/screening/", care.screening, name="care_screening"),
    path(f"{CARE_OF}/window/", care.window, name="care_window"),
    path(f"{CARE_OF}/messages/", care.thread, name="care_messages"),
]
researchers = [
    path("research/<slug:study>/", results.outcomes, name="outcomes"),
    path("research/<slug:study>/exports/", exports.page, name="exports"),
    path("research/<slug:study>/export/", exports.run, name="export"),
    path(f"{EXPORT}/cancel/", exports.cancel, name="export_cancel"),
    path(f"{EXPORT}/status/", exports.status, name="export_status"),
    path(f"{EXPORT}/file/", exports.file, name="export_file"),
    path("research/<slug:study>/unblind/", results.unblind, name="unblind"),
    path("research/<slug:study>/analysis/", analysis.page, name="analysis"),
    path("research/<slug:study>/analysis/plan/", analysis.plan, name="analysis_plan"),
    path("research/<slug:study>/analysis/lock/", analysis.lock, name="analysis_lock"),
    path("research/<slug:study>/analysis/run/", analysis.run, name="analysis_run"),
    path(f"{RUN}/cancel/", analysis.cancel, name="analysis_cancel"),
    path(f"{RUN}/status/", analysis.status, name="analysis_status"),
    path(f"{RUN}/<str:name>", analysis.file, name="analysis_file"),
]

urlpatterns = everybody + participants + guardians + clinicians + therapists + researchers
