"""The parts of an answer: a title, one or two sentences on the fault and the next step, and a link."""

from enum import Enum
from typing import NamedTuple


class Step(Enum):
    """A link: its words, and the page of the credential that it opens ("" for the list)."""

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
    """Texts with {names} that explain.py fills in."""

    title: str
    text: str
    step: Step
