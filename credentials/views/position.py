"""Where a user is in the list: its search, filter, order and page. Links, forms and redirects keep it."""

from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.http import urlencode

from credentials.models.listing import Sort
from credentials.models.state import State
from web.request import MAX_URL_LENGTH, htmx_page, search_text


class Position(NamedTuple):
    search: str = ""
    state: str = ""
    sort: str = ""
    number: str = ""

    @classmethod
    def of(cls, request: Any) -> "Position":
        """The place in the list that a request asks for, or that the page it comes from leads back to."""
        page = htmx_page(request) if request.htmx else None
        query = request.GET
        # htmx asks from a page, whose URL knows; its request for the list itself knows better.
        if page and page.path != request.path:
            query = QueryDict(page.query)
        if back := query.get("back"):
            query = QueryDict(back[:MAX_URL_LENGTH])
        return cls.parse(query)

    @classmethod
    def parse(cls, query: QueryDict) -> "Position":
        state, sort = query.get("state"), query.get("sort")
        return cls(
            search_text(query),
            state if state in State.values else "",
            sort if sort in Sort.values else "",
            query.get("page", "").replace("\x00", "")[:10],
        )

    @property
    def criteria(self) -> tuple[str, str, str]:
        """Search, state and sort, as the list takes them."""
        return self.search, self.state, self.sort

    @property
    def is_filtered(self) -> bool:
        return bool(self.search or self.state)

    @property
    def query(self) -> str:
        """The query string of the list, with its `?`; "" for its first page as it is."""
        return self.query_of()

    def query_of(self, **changes: str) -> str:
        """The same with other values; without `number`, the first page."""
        place = self._replace(**changes)
        names = {"q": place.search, "state": place.state, "sort": place.sort, "page": place.number}
        query = urlencode({name: value for name, value in names.items() if value})
        return f"?{query}" if query else ""

    @property
    def back(self) -> str:
        """The query string of a page or form that leads back to the list; "" for its first page as it is."""
        query = self.query
        return f"?{urlencode({'back': query[1:]})}" if query else ""


START = Position()
