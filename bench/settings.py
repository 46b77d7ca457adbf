"""The product's settings, with one more view to compare pages with."""

from sendlayer.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
