"""No log holds the key of a mailed link: until it is used, it opens an account."""

import logging
import re

_KEY = re.compile(r"/(key|confirm-email)/[^/\s]+")


def without_keys(text: str) -> str:
    return _KEY.sub(r"/\1/…", text)


class WithoutKeys(logging.Filter):
    """Takes the keys out of the paths that Django logs refused requests by."""

    def filter(self, record):
        if isinstance(record.args, tuple):
            record.args = tuple(without_keys(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True
