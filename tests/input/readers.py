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
    "web.search.query:_address": "web.search.query:parse",
    "web.client_ip:_values": "web.client_ip:client_ip",
    "web.client_ip:address": "web.client_ip:client_ip",
    "credentials.diagnosis.transcripts:_ends_content": "credentials.diagnosis.parser:read",
    "credentials.diagnosis.transcripts:_without_content": "credentials.diagnosis.parser:read",
    "credentials.diagnosis.transcripts:without_noise": "credentials.diagnosis.parser:read",
    "credentials.views.responses:is_on_page": "web.request:htmx_page",
    "credentials.networks:_are_within": "credentials.networks:clean",
    "submission.policy.disguise:_decoded": "submission.policy.disguise:shows_other_domain",
    "submission.policy.disguise:_unquoted_domains": "submission.policy.disguise:shows_other_domain",
    "submission.policy.disguise:hides_text": "submission.policy.disguise:shows_other_domain",
    "submission.policy.headers:read_mailboxes": "submission.policy.headers:mailboxes",
    "credentials.diagnosis.parser:_mask_encoded": "credentials.diagnosis.parser:visible",
    "credentials.networks:_parse": "credentials.networks:clean",
    "credentials.networks:_range": "credentials.networks:clean",
    "accounts.email_addresses:_refuse_mapped": "accounts.email_addresses:clean",
    "accounts.ended_session:_is_path": "accounts.ended_session:_question",
    "domains.members.forms:is_address": "domains.members.forms:InviteForm.clean_emails",
    "domains.names:_checked": "domains.names:normalise",
    "domains.names:_complaint_about_punctuation": "domains.names:normalise",
    "domains.names:host_in": "domains.names:normalise",
    "domains.names:_is_ip_address": "domains.names:normalise",
    "domains.names:_refuse_mapped": "domains.names:normalise",
    "domains.dns.spf_evaluation:_Evaluation._note_addresses": "domains.dns.spf_judging:judge",
    "domains.dns.spf_judging:_failing": "domains.dns.spf_judging:judge",
    "domains.dns.spf:_term": "domains.dns.spf:parse",
    "domains.dns.spf:_is_domain": "domains.dns.spf:parse",
    "domains.dns.spf:_is_host_with_prefixes": "domains.dns.spf:parse",
    "domains.dns.spf:_is_network": "domains.dns.spf:parse",
    "domains.homographs:complaint": "domains.names:normalise",
    "submission.policy.addresses:_parameters": "submission.policy.addresses:parse_argument",
    "submission.milter.packets:header_of": "submission.milter.packets:macros_of",
    "submission.policy.headers:Field.has_sound_lines": "submission.policy.headers:Field.value",
    "submission.policy.addresses:_parse": "submission.policy.addresses:parse_mailbox",
    "submission.delivery.message:_received": "submission.delivery.message:prepare",
}
# Why no foreign text gets there, or how it is limited before.
OURS = {
    "web.client_ip:network": "settings",
    "vault.cipher:_raw_keys": "settings",
    "operations.backups.__init__:first_line": "what a database says",
    "operations.backups.archive:_check": "a member of a backup, 64 KB (the ZIP format)",
    "operations.backups.exported_events:_recorded": "times that a restore recorded",
    "operations.backups.exported_events:event": "an export of the operator, as audit.export:read",
    "operations.backups.exported_events:parsed": "an export of the operator, as audit.export:read",
    "operations.backups.manifest:_fits": "a manifest of 4 MB at most (archive.MAX_MANIFEST)",
    "operations.backups.manifest:_is_time": "200 characters of a manifest",
    "operations.backups.manifest:read_manifest": "a manifest of 4 MB at most (archive.MAX_MANIFEST)",
    "operations.backups.nightly:_delete_old": "a file's name, 255 bytes",
    "operations.backups.restore:restore": "a time that manifest bounded",
    "operations.backups.trailer:verify": "the last bytes of a backup",
    "operations.management.commands.restore:Command._restore": "a time that manifest bounded",
    "operations.jobs.heartbeat_urls:_of_failure": "settings",
    "operations.jobs.heartbeat_urls:is_http": "settings",
    "operations.jobs.runs:run": "what a job of ours printed",
    "operations.system:_database_version": "what a database says",
    "operations.system:_server": "settings",
    "sendlayer.checks:_is_reached_by_others": "settings",
    "sendlayer.checks:check_node_name": "settings",
    "sendlayer.databases:_parse": "settings",
    "sendlayer.checks:check_dashboard_url": "settings",
    "sendlayer.environment:Env.db": "settings",
    "sendlayer.environment:Env.email_url": "settings",
    "sendlayer.environment:Env._host": "settings",
    "sendlayer.environment:Env._ascii": "settings",
    "web.search.folding:FoldedIContains.get_prep_lookup": "a search of 100 characters",
    "web.search.folding:fold": "searches of 100 characters, and columns of the database",
    "web.search.folding:containing": "a search of 100 characters",
    "credentials.snippets:lacks_name": "settings",
    "web.caches:TableCache.get_many": "values that the dashboard itself put there",
    "submission.listener.commands:auth": "a line of 1,000 characters (limits.MAX_COMMAND_LINE)",
    "accounts.adapter:AccountAdapter.send_notification_mail": "names of allauth's templates",
    "accounts.adapter:_on_dashboard_url": "an address that allauth made",
    "accounts.emails:Letter.message": "JSON that this very code sealed",
    "accounts.emails:are_sent": "settings",
    "accounts.emails:post": "our templates around names and addresses that are bounded where they are typed",
    "accounts.emails:write": "our templates around names and addresses that are bounded where they are typed",
    "accounts.openid.__init__:_is_loopback": "a host in a URL that is_safe_url bounded",
    "accounts.openid.provider:Client.get_redirect_url": "an address that allauth made",
    "accounts.password_validators:_words": "settings",
    "audit.chain:plain": "JSON of an event that is written",
    "audit.chain:content": "a column of an event: 39 characters, or what somebody with the database put there",
    "audit.admin:EventAdmin.by_text": "a word of 100 characters (audit.support.MAX_SEARCH)",
    "credentials.admin:OfDomain.by_text": "a word of 100 characters (audit.support.MAX_SEARCH)",
    "credentials.hand_over_admin:HandOverAdmin.by_text": "a word of 100 characters (audit.support.MAX_SEARCH)",
    "credentials.management.commands.heartbeat:reason": "what a database says",
    "credentials.models.figures:as_moment": "a moment that the database returns",
    "credentials.usage.summary:names": "20 names as usage.attempts keeps them",
    "credentials.usage.attempts:names": "EHLO and MAIL FROM, a line of 1,000 characters",
    "credentials.usage.writer:_there": "20 names as usage.attempts keeps them",
    "credentials.networks:allows": "networks as they are stored, 2,500 characters",
    "credentials.networks:listed": "networks as they are stored, 2,500 characters",
    "domains.activity.filters:_about": "100 characters (Filters.of)",
    "domains.activity.filters:kind_of": "a tag of ours",
    "domains.navigation:around_name": "a path of ours",
    "domains.homographs:_unmixed": "a constant",
    "sendlayer.checks:check_shared_cache": "settings",
    "web.search.trigrams:_create_extension": "what a database says",
    "web.logs:Lines.formatException": "lines of a traceback, as one_line and _Formatter.formatException",
    "sendlayer.start:_addresses": "settings",
    "submission.listener.commands:helo": "a line of 1,000 characters (limits.MAX_COMMAND_LINE)",
    "submission.listener.commands:_judge_parameters": "a line of 1,000 characters (limits.MAX_COMMAND_LINE)",
    "submission.listener.serve:announced_name": "settings",
    "submission.delivery.relay:_is_too_many": "a reply of 32 KB (aiosmtplib), by an anchored pattern",
    "submission.livecheck.advice:advise": "a reply of 300 characters (conversation.MAX_SHOWN)",
    "submission.livecheck.conversation:Conversation._record": "a reply of 32 KB (aiosmtplib)",
    "submission.livecheck.conversation:Conversation._showable": "a reply of 32 KB (aiosmtplib)",
    "submission.management.commands.reports:Command.handle": "settings",
    "submission.reports.postfix:PostfixConnection.data_received": "16 KB (MAX_REQUEST_SIZE) and some more",
    "submission.delivery.relay:Relay.from_url": "settings",
    "submission.milter.filter:MilterConnection._decide": "an address that Postfix has taken",
    "submission.milter.filter:MilterConnection._refuse": "a name of Dovecot's",
    "credentials.models.manager:CredentialQuerySet.domain_of_session": "a name of Dovecot's",
    "submission.delivery.relay:_is_this_machine": "settings",
    "submission.listener.session:Session._obey": "a line of 1,000 characters (limits.MAX_COMMAND_LINE)",
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
