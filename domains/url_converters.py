"""URL parts: only what can be a domain name or a username reaches a view."""

from django.urls import register_converter


class DomainNameConverter:
    """A stored domain name: A-labels, lower case, at least two of them."""

    regex = (
        r"(?=[a-z0-9.-]{1,253}/)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    )

    def to_python(self, value):
        return value

    def to_url(self, value):
        return value


class TokenConverter:
    """What `django.core.signing` makes: base 64 for URLs, a time and a signature."""

    regex = "[A-Za-z0-9_:=-]{1,200}"

    def to_python(self, value):
        return value

    def to_url(self, value):
        return value


register_converter(DomainNameConverter, "domain")
register_converter(TokenConverter, "token")
