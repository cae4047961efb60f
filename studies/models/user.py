"""Staff accounts."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A member of staff; participants are not users, they hold a private link and a PIN."""

    class Meta(AbstractUser.Meta):
        db_table = "studies_user"
