"""The one order in which transactions lock, so that no two wait for each other in a circle.

On PostgreSQL a row that is changed or deleted, or selected FOR UPDATE, is locked until the transaction
ends, and so is the chain of events that it records in. Each transaction takes its locks in the order of
`ORDER`, and from what is held already it may take more at any time:

1.  The rows of the domains, by primary key: `Domain.objects.hold`. Whatever records an event of a domain,
    or changes more than one row below one, begins with this. So acts of one domain come one after another,
    as they do in its chain anyway, and what they change below it nobody else holds.
2.  What a domain consists of: DNS records, memberships, invitations.
3.  People: `User.objects.hold`, then what belongs to them. Whatever records an event of a person begins here.
4.  Deleted SMTP users by primary key, then SMTP users by primary key. Acts on many lock all of them
    before the first is changed.
5.  What is kept about SMTP users: retired passwords, and logins: those of domains first, the sums last.
6.  The chains of events (audit/chain.py), by ascending id of their domain, the one without a domain first.
    Nothing else is locked after a chain, but new rows may be added, like letters.

Foreign keys are checked at the commit, which locks the rows they lead to FOR KEY SHARE. Only a deletion, and
a new e-mail of a person, are in the way of that: `hold` takes FOR NO KEY UPDATE, and keeps both out.

What only tidies up (logins, retired passwords) takes no row that somebody holds, and so never
waits. A statement of its own, outside of a transaction, holds nothing while it waits.

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
        "credentials_retiredpassword",
        "credentials_loginday",
    },
    {"audit_event"},
)


def place(table: str) -> int | None:
    """Where a table is in the order; None for one that is locked at any time before the chains."""
    return next((place for place, tables in enumerate(ORDER) if table in tables), None)
