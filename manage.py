#!/usr/bin/env python
"""Django's command line for Nocturne."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "therapy_site.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # A setting that makes no sense is the reader's to mend: one sentence, no traceback.
        sys.exit(str(error))
