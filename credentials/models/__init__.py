from credentials.models.clients import ClientDay, ClientName  # noqa: F401
from credentials.models.credential import *  # noqa: F403
from credentials.models.credential import Credential, CredentialQuerySet, Login, Outcome  # noqa: F401
from credentials.models.deleted import DeletedCredential  # noqa: F401
from credentials.models.login_total import LoginTotal  # noqa: F401
from credentials.models.refusals import Cause, RefusedLogins  # noqa: F401
from credentials.models.retired import RetiredPassword, RetiredTry, Why  # noqa: F401
from vault.keyring import KeyCanary  # noqa: F401
