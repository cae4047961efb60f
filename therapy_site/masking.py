"""Private links open a participant's or a guardian's pages, so no log may hold one."""

import logging
import re

PRIVATE_LINK = re.compile(r"/(p|g|r)/[^/\s'\"]+")
MASKED = r"/\1/***"


class MaskPrivateLinks(logging.Filter):
    """Blank the token of private links out of whatever is logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record if need be; keep every one."""
        text = record.getMessage()
        if PRIVATE_LINK.search(text):
            record.msg, record.args = PRIVATE_LINK.sub(MASKED, text), None
        return True
