"""The form of an answer: a title, a sentence or two that say where the fault is and what to do, a link."""

from enum import Enum
from typing import NamedTuple


class Step(Enum):
    """A link to follow: its words, and the page beside the credential's others ("" for its list)."""

    CHECK = "Check this credential", "check"
    CONNECT = "Connect your site", "connect"
    CLIENTS = "Recent clients", "clients"
    NETWORKS = "Edit allowed networks", "networks"
    EXPIRY = "Expiry date", "expiry"
    RESUME = "Resume", "resume"
    EXPLAIN_OTHER = "Explain an error there", "explain"
    LIST = "SMTP Credentials", ""
    OVERVIEW = "Overview", "overview"

    @property
    def words(self) -> str:
        return self.value[0]

    @property
    def page(self) -> str:
        return self.value[1]

    @property
    def needs_manager(self) -> bool:
        return self in (Step.CHECK, Step.NETWORKS, Step.EXPIRY, Step.RESUME)

    @property
    def is_dialog(self) -> bool:
        return self.needs_manager or self is Step.EXPLAIN_OTHER


class Words(NamedTuple):
    """Texts with the {names} that answers.py fills in."""

    title: str
    text: str
    step: Step
