"""Make the first account of a new installation."""

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from studies.models.user import User
from studies.services.trail.audit import SYSTEM, record


class Command(BaseCommand):
    """Make an administrator, who sets up the second factor at the first sign-in."""

    help = (
        "Make an administrator's account. The password is asked for, or read from a file; the "
        "second factor is set up at the first sign-in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the account's name, and where its password lies."""
        parser.add_argument("name", help="the name to sign in with")
        parser.add_argument("--password-file", type=Path, help="a file with the password in it")

    @transaction.atomic
    def handle(self, *, name: str, password_file: Path | None, **_options: object) -> None:
        """Make the account, if name and password will do."""
        if User.objects.filter(username=name).exists():
            raise CommandError(
                f"A new name was expected, an account {name!r} exists already. Choose another, or "
                "give it a new password: ./run manage changepassword NAME"
            )
        user = User(username=name, is_staff=True, is_superuser=True)
        password = _password(password_file)
        try:
            user.full_clean(exclude=["password"])
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user.set_password(password)
        user.save()
        record(
            actor=SYSTEM,
            action="create_administrator",
            subject=user,
            new={"username": name},
            reason="first account of the installation, made on the command line",
        )
        self.stdout.write(
            f"Administrator {name} can sign in at /accounts/login/ and is asked to set up a second "
            "factor there."
        )


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise CommandError(
                f"A readable password file was expected, {file} is not ({error.strerror})."
            ) from error
    if not sys.stdin.isatty():
        raise CommandError(
            "A terminal to ask for the password was expected, there is none. Use --password-file."
        )
    password = getpass.getpass("Password (12 characters or more): ")
    if password != getpass.getpass("Again: "):
        raise CommandError("The same password twice was expected, they differ. Try again.")
    return password
