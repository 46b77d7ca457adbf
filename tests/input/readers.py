"""The functions of the product that take a text apart, found by their calls, so that none is forgotten.

Each has a case in tests/input/costs.py, or is READ_WITHIN one of them, or is in OURS with the reason
why no long text comes there.
"""

import ast
from collections.abc import Iterator

from tests.servers import ROOT

APPS = ("accounts", "audit", "credentials", "domains", "sendlayer", "submission")
# A call of one of these names takes a text apart, matches or normalises it.
CALLS = {"match", "fullmatch", "search", "sub", "subn", "findall", "finditer", "translate", "normalize"}
CALLS |= {"split", "rsplit", "splitlines", "partition", "rpartition", "casefold", "loads", "b64decode"}
CALLS |= {"urlsplit", "unquote", "ip_address", "ip_network", "from_text", "parse_datetime", "fromisoformat"}
CALLS |= {"strptime", "literal_eval", "validate_email", "isprintable", "has_invisible", "has_many_marks"}

# Function → the case that it is read within.
READ_WITHIN = {
    "audit.client_ip:_values": "audit.client_ip:client_ip",
    "audit.client_ip:address": "audit.client_ip:client_ip",
    "credentials.explaining.transcripts:_ends_content": "credentials.explaining.reading:read",
    "credentials.explaining.transcripts:_without_content": "credentials.explaining.reading:read",
    "credentials.explaining.transcripts:without_noise": "credentials.explaining.reading:read",
    "credentials.networks:_are_within": "credentials.networks:clean",
    "submission.disguise:_decoded": "submission.disguise:shows_other_domain",
    "submission.disguise:_first": "submission.disguise:shows_other_domain",
    "submission.disguise:hides_text": "submission.disguise:shows_other_domain",
    "submission.headers:read_mailboxes": "submission.headers:mailboxes",
    "accounts.openid.provider:Provider.extract_uid": "accounts.openid.tokens:verify",
    "credentials.explaining.reading:_mask_encoded": "credentials.explaining.reading:visible",
    "credentials.networks:_parse": "credentials.networks:clean",
    "accounts.email_addresses:_refuse_mapped": "accounts.email_addresses:clean",
    "domains.member_forms:is_address": "domains.member_forms:InviteForm.clean_emails",
    "domains.names:_checked": "domains.names:normalise",
    "domains.names:_complaint_about_signs": "domains.names:normalise",
    "domains.names:_host_inside": "domains.names:normalise",
    "domains.names:_is_ip_address": "domains.names:normalise",
    "domains.names:_refuse_mapped": "domains.names:normalise",
    "domains.records:_stands_elsewhere": "domains.records:_judge_dmarc",
    "domains.scripts:complaint": "domains.names:normalise",
    "submission.addresses:_parameters": "submission.addresses:parse_argument",
    "submission.policy:_judge_header": "submission.policy:_judge_form",
    "submission.message:_received": "submission.message:finish",
}
# Why nobody else's text comes there, or how it is bounded before.
OURS = {
    "audit.client_ip:network": "settings",
    "credentials.vault:_raw_keys": "settings",
    "sendlayer.backups.archive:_judge": "a member of a backup, bounded by manifest_rules",
    "sendlayer.backups.manifest:read_manifest": "a backup, which the operator gives, bounded by manifest_rules",
    "sendlayer.backups.manifest_rules:_is_time": "a backup, which the operator gives",
    "sendlayer.backups.manifest_rules:_matches": "a backup, which the operator gives",
    "sendlayer.backups.trailer:examine": "the last bytes of a backup",
    "sendlayer.checks:_is_reached_by_others": "settings",
    "sendlayer.checks:check_dashboard_url": "settings",
    "sendlayer.environment:Env.db": "settings",
    "sendlayer.table_cache:TableCache.get_many": "values that the dashboard itself put there",
    "submission.commands:Commands._auth": "a line of 1,000 characters (limits.MAX_LINE)",
    "accounts.adapter:AccountAdapter.send_notification_mail": "names of allauth's templates",
    "accounts.adapter:_of_the_dashboard": "an address that allauth made",
    "accounts.letters:Letter.message": "JSON that this very code sealed",
    "accounts.letters:post": "our templates around names and addresses that are bounded where they are typed",
    "accounts.letters:write": "our templates around names and addresses that are bounded where they are typed",
    "accounts.openid.__init__:_is_loopback": "a host in a URL that is_safe_url bounded",
    "accounts.openid.provider:Client.get_redirect_url": "an address that allauth made",
    "accounts.passwords:_words": "settings",
    "audit.chain:plain": "JSON of an event that is written",
    "audit.chain:told": "a column of an event: 39 characters, or what somebody with the database put there",
    "credentials.client_counts:ClientCounts.add_name": "EHLO and MAIL FROM, of a line of 1,000 characters",
    "credentials.networks:allows": "networks as they are stored, 2,500 characters",
    "credentials.networks:listed": "networks as they are stored, 2,500 characters",
    "domains.navigation:around_name": "a path of ours",
    "domains.scripts:_unmixed": "a constant",
    "domains.views:domain_list": "a query of the database by search_text, 100 characters",
    "domains.views:menu": "a query of the database by search_text, 100 characters",
    "sendlayer.backups.__init__:first_line": "what a database says",
    "sendlayer.backups.before:_why_not": "data of a restored event",
    "sendlayer.backups.events:_parsed": "an export, which the operator gives, read as audit.exports:read does",
    "sendlayer.backups.restoring:restore": "a backup, which the operator gives",
    "sendlayer.checks:check_shared_cache": "settings",
    "sendlayer.logs:Lines.formatException": "lines of a traceback, as one_line and _Formatter.formatException",
    "sendlayer.management.commands.restore:_events": "a backup, which the operator gives",
    "sendlayer.start:_addresses": "settings",
    "submission.commands:Commands._hello": "a line of 1,000 characters (limits.MAX_LINE)",
    "submission.commands:Commands._judge_parameters": "a line of 1,000 characters (limits.MAX_LINE)",
    "submission.listener:announced_name": "settings",
    "submission.livecheck.advice:advise": "a reply of 300 characters (conversation.MAX_SHOWN)",
    "submission.livecheck.conversation:Conversation._hello": "lines of 1,000 characters (wire.MAX_LINE), 50",
    "submission.livecheck.conversation:Conversation._send_message": "our own test message",
    "submission.livecheck.conversation:Conversation._showable": "lines of 1,000 characters (wire.MAX_LINE), 50",
    "submission.management.commands.reports:Command.handle": "settings",
    "submission.messages:Connection.data_received": "16 KB (messages.MAX_SIZE) and what came with them",
    "submission.relay:Relay.from_url": "settings",
    "submission.relay:_is_this_machine": "settings",
    "submission.server:Submission._obey": "a line of 1,000 characters (limits.MAX_LINE)",
    "submission.tls:_names": "settings",
}


def takes_apart() -> Iterator[str]:
    """The functions of the product that take a text apart, as `module:function`."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                yield from (f"{module}:{name}" for name in _functions(ast.parse(path.read_text()), ""))


def _functions(node, prefix) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            called = (each.func for each in ast.walk(child) if isinstance(each, ast.Call))
            if any(getattr(each, "attr", getattr(each, "id", "")) in CALLS for each in called):
                yield prefix + child.name
