"""SendLayer, self-hosted: the project on top of its apps."""

__version__ = "0.3.0"
