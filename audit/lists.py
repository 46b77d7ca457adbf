"""Lists of the support admin: none counts or reads all rows of a table."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import admin
from django.core.paginator import Paginator
from django.urls import reverse
from django.utils.functional import cached_property

MAX_LISTED = 500  # rows: to count a million takes as long as to read them, and nobody pages through them


class BoundedPaginator(Paginator):
    """The first MAX_LISTED rows. A page that is gone after an act is the last one that is there."""

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by().values("pk")[: MAX_LISTED + 1].count()

    @property
    def count(self):
        return min(self._counted, MAX_LISTED)

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than it lists."""
        return self._counted > MAX_LISTED

    def validate_number(self, number):
        return min(max(int(number), 1), self.num_pages)


class ChosenFilter(admin.SimpleListFilter):
    """The rows of one related row. Links lead to it; the filters show it while it is in use."""

    field = ""  # the column of the list's model, and the parameter

    @classmethod
    def of(cls, field: str, title: str):
        """Return a filter of a foreign key."""
        return type(cls)(f"{field}_filter", (cls,), {"field": field, "parameter_name": field, "title": title})

    def lookups(self, request, model_admin):
        key = self.used_parameters.get(self.parameter_name) or request.GET.get(self.parameter_name, "")
        if not (key.isascii() and key.isdigit() and len(key) < 19):
            return []
        related = model_admin.model._meta.get_field(self.field).related_model
        return [(key, str(related._base_manager.filter(pk=key).first() or f"deleted ({key})"))]

    def queryset(self, request, queryset):
        return queryset.filter(**{f"{self.field}_id": self.value()})


class Section(NamedTuple):
    """A short list on the page of a row, read-only, with a link to the whole one."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str  # said instead of no rows
    all: str = ""  # address
    all_text: str = "See all"


def changelist(model, **query) -> str:
    """Return the address of a model's list."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def page_of(row) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
