from domains.models.dns_record import DnsRecord  # noqa: F401
from domains.models.domain import *  # noqa: F403
from domains.models.domain import AlreadyAuthorized, Domain, Membership, new_verification_token  # noqa: F401
from domains.models.invitation import Invitation  # noqa: F401
