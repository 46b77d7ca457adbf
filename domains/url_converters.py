"""URL converters: only a valid domain name, token or id reaches a view."""

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
    """A token of `django.core.signing`: URL-safe base 64, a timestamp and a signature."""

    regex = "[A-Za-z0-9_:=-]{1,200}"

    def to_python(self, value):
        return value

    def to_url(self, value):
        return value


class PersonConverter:
    """The id of a user, no larger than databases store."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value):
        return int(value)

    def to_url(self, value):
        return str(value)


register_converter(DomainNameConverter, "domain")
register_converter(PersonConverter, "person")
register_converter(TokenConverter, "token")
