"""System checks of the DNS settings."""

from django.conf import settings
from django.core.checks import Error, register

from domains.dns import hosts, records, resolver
from web.startup import START, is_accepted


@register(START)
def check_dns_resolvers(app_configs, **kwargs):
    wrong = [text for text in settings.DNS_RESOLVERS if not is_accepted(resolver.parse_server, text)]
    if not wrong:
        return []
    hint = (
        "List IP addresses, each with its port unless that is 53: 127.0.0.1,192.0.2.53:5353,[2001:db8::53]:53."
    )
    return [Error(f"DNS_RESOLVERS holds {', '.join(wrong)}.", hint=hint, id="sendlayer.E007")]


@register(START)
def check_expected_records(app_configs, **kwargs):
    problems = []
    if settings.SPF_INCLUDE and not hosts.is_host(settings.SPF_INCLUDE):
        hint = "Set it to the name that SPF records have to include, like spf.example.net."
        problems.append(Error("SPF_INCLUDE is not a hostname.", hint=hint, id="sendlayer.E008"))
    for name, id in (("DKIM_CNAME", "sendlayer.E009"), ("RETURN_PATH_CNAME", "sendlayer.E010")):
        setting = getattr(settings, name)
        if setting and not is_accepted(records.parse_cname, setting):
            hint = "Set it to `label:target`, like sl1:sl1.dkim.example.net."
            problems.append(Error(f"{name} is not of the form label:target.", hint=hint, id=id))
    return problems
