"""The product's settings, with the one view more that the tab is measured against."""

from sendlayer.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
