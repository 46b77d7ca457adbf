"""The sealed column of the audit log: the key of the chains of events."""

from audit.chain import ASSOCIATED_DATA
from audit.models import ChainKey
from vault.registry import SealedColumn

CHAIN_KEYS = SealedColumn("audit keys", ChainKey, "sealed", lambda row: ASSOCIATED_DATA)
