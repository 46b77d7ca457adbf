"""The sealed column of events: the key of their chains."""

from audit.chain import PLACE
from audit.models import ChainKey
from vault.registry import SealedColumn

CHAIN_KEYS = SealedColumn("audit keys", ChainKey, "sealed", lambda row: PLACE)
