"""The parts of an answer: a title, one or two sentences on the fault and the next step, and a link."""

from enum import Enum
from typing import NamedTuple


class Step(Enum):
    """A link: its words, and what it opens below the SMTP user's page ("" for the list)."""

    CHECK = "Check this credential", "check/"
    CONNECT = "Connect your site", "#connect"
    CLIENTS = "Who uses it", "#use"
    NETWORKS = "Edit allowed networks", "?edit=networks#limits"
    EXPIRY = "Expiry date", "?edit=expiry#limits"
    RESUME = "Resume", "resume/"
    EXPLAIN_OTHER = "Explain an error there", "#check"
    LIST = "SMTP Credentials", ""
    OVERVIEW = "Overview", "overview"

    @property
    def words(self) -> str:
        return self.value[0]

    @property
    def place(self) -> str:
        return self.value[1]

    @property
    def needs_manager(self) -> bool:
        return self in (Step.CHECK, Step.NETWORKS, Step.EXPIRY, Step.RESUME)

    @property
    def is_dialog(self) -> bool:
        return self in (Step.CHECK, Step.RESUME)


class Words(NamedTuple):
    """Texts with {names} that explain.py fills in."""

    title: str
    text: str
    step: Step
