"""The parsing functions of the product, found by their calls, so that none is forgotten.

Each has a case in tests/input/costs.py, or is READ_WITHIN one of them, or is in OURS with the reason
why no long text comes there.
"""

import ast
from collections.abc import Iterator

from tests.servers import ROOT

APPS = (
    "accounts",
    "audit",
    "credentials",
    "domains",
    "operations",
    "sendlayer",
    "submission",
    "vault",
    "web",
)
# Calls of these names parse, match or normalise a text.
CALLS = {"match", "fullmatch", "search", "sub", "subn", "findall", "finditer", "translate", "normalize"}
CALLS |= {"split", "rsplit", "splitlines", "partition", "rpartition", "casefold", "loads", "b64decode"}
CALLS |= {"urlsplit", "unquote", "ip_address", "ip_network", "from_text", "parse_datetime", "fromisoformat"}
CALLS |= {"strptime", "literal_eval", "validate_email", "isprintable", "has_invisible", "has_many_marks"}

# Function → the case that covers it.
READ_WITHIN = {
    "web.client_ip:_values": "web.client_ip:client_ip",
    "web.client_ip:address": "web.client_ip:client_ip",
    "credentials.diagnosis.transcripts:_ends_content": "credentials.diagnosis.parser:read",
    "credentials.diagnosis.transcripts:_without_content": "credentials.diagnosis.parser:read",
    "credentials.diagnosis.transcripts:without_noise": "credentials.diagnosis.parser:read",
    "credentials.networks:_are_within": "credentials.networks:clean",
    "submission.policy.disguise:_decoded": "submission.policy.disguise:shows_other_domain",
    "submission.policy.disguise:_first": "submission.policy.disguise:shows_other_domain",
    "submission.policy.disguise:hides_text": "submission.policy.disguise:shows_other_domain",
    "submission.policy.headers:read_mailboxes": "submission.policy.headers:mailboxes",
    "credentials.diagnosis.parser:_mask_encoded": "credentials.diagnosis.parser:visible",
    "credentials.networks:_parse": "credentials.networks:clean",
    "accounts.email_addresses:_refuse_mapped": "accounts.email_addresses:clean",
    "domains.members.forms:is_address": "domains.members.forms:InviteForm.clean_emails",
    "domains.names:_checked": "domains.names:normalise",
    "domains.names:_complaint_about_signs": "domains.names:normalise",
    "domains.names:_host_inside": "domains.names:normalise",
    "domains.names:_is_ip_address": "domains.names:normalise",
    "domains.names:_refuse_mapped": "domains.names:normalise",
    "domains.dns.records:_stands_elsewhere": "domains.dns.records:_judge_dmarc",
    "domains.homographs:complaint": "domains.names:normalise",
    "submission.policy.addresses:_parameters": "submission.policy.addresses:parse_argument",
    "submission.policy.sender:_judge_header": "submission.policy.sender:_judge_form",
    "submission.delivery.message:_received": "submission.delivery.message:finish",
}
# Why no foreign text gets there, or how it is limited before.
OURS = {
    "web.client_ip:network": "settings",
    "vault.cipher:_raw_keys": "settings",
    "operations.backups.archive:_judge": "a member of a backup, bounded by manifest_rules",
    "operations.backups.manifest:read_manifest": "a backup of the operator, bounded by manifest_rules",
    "operations.backups.manifest_rules:_is_time": "a backup, which the operator gives",
    "operations.backups.manifest_rules:_matches": "a backup, which the operator gives",
    "operations.backups.trailer:examine": "the last bytes of a backup",
    "sendlayer.checks:_is_reached_by_others": "settings",
    "sendlayer.checks:check_dashboard_url": "settings",
    "sendlayer.environment:Env.db": "settings",
    "web.caches:TableCache.get_many": "values that the dashboard itself put there",
    "submission.listener.commands:Commands._auth": "a line of 1,000 characters (limits.MAX_LINE)",
    "accounts.adapter:AccountAdapter.send_notification_mail": "names of allauth's templates",
    "accounts.adapter:_on_dashboard_url": "an address that allauth made",
    "accounts.emails:Letter.message": "JSON that this very code sealed",
    "accounts.emails:post": "our templates around names and addresses that are bounded where they are typed",
    "accounts.emails:write": "our templates around names and addresses that are bounded where they are typed",
    "accounts.openid.__init__:_is_loopback": "a host in a URL that is_safe_url bounded",
    "accounts.openid.provider:Client.get_redirect_url": "an address that allauth made",
    "accounts.password_validators:_words": "settings",
    "audit.chain:plain": "JSON of an event that is written",
    "audit.chain:told": "a column of an event: 39 characters, or what somebody with the database put there",
    "credentials.usage.client_buffer:ClientCounts.add_name": "EHLO and MAIL FROM, a line of 1,000 characters",
    "credentials.networks:allows": "networks as they are stored, 2,500 characters",
    "credentials.networks:listed": "networks as they are stored, 2,500 characters",
    "domains.navigation:around_name": "a path of ours",
    "domains.homographs:_unmixed": "a constant",
    "domains.views:domain_list": "a query of the database by search_text, 100 characters",
    "domains.views:menu": "a query of the database by search_text, 100 characters",
    "operations.backups.__init__:first_line": "what a database says",
    "operations.backups.previous_database:_why_not": "data of a restored event",
    "operations.backups.exported_events:_parsed": "an export of the operator, as audit.export:read",
    "operations.backups.restore:restore": "a backup, which the operator gives",
    "sendlayer.checks:check_shared_cache": "settings",
    "web.logs:Lines.formatException": "lines of a traceback, as one_line and _Formatter.formatException",
    "operations.management.commands.restore:_events": "a backup, which the operator gives",
    "sendlayer.start:_addresses": "settings",
    "submission.listener.commands:Commands._hello": "a line of 1,000 characters (limits.MAX_LINE)",
    "submission.listener.commands:Commands._judge_parameters": "a line of 1,000 characters (limits.MAX_LINE)",
    "submission.listener.serve:announced_name": "settings",
    "submission.livecheck.advice:advise": "a reply of 300 characters (conversation.MAX_SHOWN)",
    "submission.livecheck.conversation:Conversation._hello": "lines of 1,000 characters (wire.MAX_LINE), 50",
    "submission.livecheck.conversation:Conversation._send_message": "our own test message",
    "submission.livecheck.conversation:Conversation._showable": "lines of 1,000 characters (wire.MAX_LINE), 50",
    "submission.management.commands.reports:Command.handle": "settings",
    "submission.reports.postfix:Connection.data_received": "16 KB (messages.MAX_SIZE) and what came with them",
    "submission.delivery.relay:Relay.from_url": "settings",
    "submission.delivery.relay:_is_this_machine": "settings",
    "submission.listener.session:Submission._obey": "a line of 1,000 characters (limits.MAX_LINE)",
    "submission.listener.tls:_names": "settings",
}


def takes_apart() -> Iterator[str]:
    """Return the parsing functions of the product as `module:function`."""
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
            called = (node.func for node in ast.walk(child) if isinstance(node, ast.Call))
            if any(getattr(function, "attr", getattr(function, "id", "")) in CALLS for function in called):
                yield prefix + child.name
