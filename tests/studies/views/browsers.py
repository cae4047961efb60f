"""Browsers without a browser: clients of staff with a second factor, and of participants."""

from dataclasses import replace

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.urls import reverse

from studies.design.protocol import ArmPlan, Protocol, four_arms
from studies.models.participant import Participant
from studies.models.study import Role, Study
from studies.models.user import User
from tests.factories import PIN, clinician_of, make_participant, make_staff, make_study


def desk_of(user: User) -> Client:
    """Return a signed-in browser of a member of staff who has a second factor."""
    TOTP.activate(user, generate_totp_secret())
    client = Client()
    client.force_login(user)
    return client


def clinician_in(study: Study) -> Client:
    """Return the browser of the study's clinician."""
    return desk_of(clinician_of(study))


def researcher_in(study: Study) -> Client:
    """Return the browser of a researcher in the study."""
    return desk_of(make_staff(Role.RESEARCHER, study=study))


def outsider() -> Client:
    """Return the browser of a member of staff who works on no study."""
    return desk_of(make_staff(name="outsider"))


def phone_of(participant: Participant) -> Client:
    """Return a browser in which the participant has entered link and PIN."""
    client = Client()
    address = reverse("studies:link_pin", args=[participant.url_token])
    assert client.post(address, {"pin": PIN, "pin_again": PIN}).status_code == 302
    return client


def short_plan() -> Protocol:
    """Return the protocol with four arms and one short questionnaire a visit."""
    plan = four_arms(1)
    return replace(plan, visits=tuple(replace(v, instruments=("cpss",)) for v in plan.visits))


def plan_of_one_kind(kind: str) -> Protocol:
    """Return a short protocol whose two arms are of one kind, so that chance cannot matter."""
    arms = {
        "music": (ArmPlan("MCMG", "music", "markov"), ArmPlan("GAMC", "music", "genetic")),
        "cbt": (ArmPlan("CBT", "cbt"), ArmPlan("CBT-I", "cbt")),
    }
    return replace(short_plan(), arms=arms[kind], block_sizes=(4, 6))


def listener() -> Participant:
    """Return somebody in a music arm."""
    return make_participant("allocated", study=make_study(protocol=plan_of_one_kind("music")))


def learner() -> Participant:
    """Return somebody in the arm with lessons."""
    return make_participant("allocated", study=make_study(protocol=plan_of_one_kind("cbt")))
