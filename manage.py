#!/usr/bin/env python3
import os
import sys

from django.core.management import execute_from_command_line

from sendlayer import __version__

if __name__ == "__main__":
    if sys.argv[1:] == ["version"]:  # Django keeps this word for its own version, before any command of ours
        print(__version__)
    else:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sendlayer.settings")
        execute_from_command_line(sys.argv)
