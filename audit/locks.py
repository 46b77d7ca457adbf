"""The order in which transactions lock, so that no two deadlock.

On PostgreSQL a row that is changed or deleted, or selected FOR UPDATE, is locked until the transaction
ends, and so is the chain of events that it records in. Each transaction takes its locks in the order of
`ORDER`, and may take more from a table where it holds some already at any time:

1.  The rows of the domains, by primary key: `Domain.objects.hold`. Each act that records an event of a domain,
    or changes more than one row below one, begins with this. So acts of one domain run one after another,
    as they do in its chain anyway, and nobody else holds the rows that they change below it.
2.  The parts of a domain: DNS records, memberships, invitations.
3.  People: `User.objects.hold`, then their own rows. Each act that records an event of a person begins here.
4.  Deleted SMTP users by primary key, then SMTP users by primary key. Acts on many lock all of them
    before the first is changed.
5.  Records about SMTP users: hand-over links, retired passwords, and logins: those of domains first, the sums
    last.
6.  The chains of events (audit/chain.py), by ascending id of their domain, the one without a domain first.
    Nothing else is locked after a chain, but new rows may be added, like letters.

Foreign keys are checked at the commit, which locks the rows they refer to FOR KEY SHARE. Only a deletion, and
a new e-mail of a person, block that: `hold` takes FOR NO KEY UPDATE, and keeps both out.

Cleanup (of logins, retired passwords, hand-over links) takes no row that somebody holds, and so never
waits. A single statement outside of a transaction holds nothing while it waits.

tests/locks.py watches on PostgreSQL that every transaction of every test keeps to this. SQLite has one
writer at a time: its transactions are IMMEDIATE.
"""

ORDER = (
    {"domains_domain"},
    {"domains_dnsrecord", "domains_membership", "domains_invitation"},
    {"accounts_user"},
    {
        "account_emailaddress",
        "account_emailconfirmation",
        "accounts_user_groups",
        "accounts_user_user_permissions",
        "mfa_authenticator",
        "socialaccount_socialaccount",
        "usersessions_usersession",
    },
    {"credentials_deletedcredential"},
    {"credentials_credential"},
    {
        "credentials_handover",
        "credentials_retiredpassword",
        "credentials_loginday",
    },
    {"audit_event"},
)


def position(table: str) -> int | None:
    """The position of a table in the order; None for one that may be locked at any time before the chains."""
    return next((position for position, tables in enumerate(ORDER) if table in tables), None)
