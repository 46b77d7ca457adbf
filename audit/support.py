"""The pages of the admin for support staff, and what staff can do to their rows once they have said why."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from audit import search
from audit.actor import Actor
from audit.lists import BoundedPaginator, Section, changelist
from audit.models import Event
from web.characters import MAX_MARKS, has_many_marks

MAX_AT_ONCE = 100  # rows of one act: as many as a person can read through on the page that asks
REASON_LENGTH = 200
MAX_SEARCH = 100  # characters
NOTHING = Q(pk__in=())


# Who reads the reason of an act.
MEMBERS = "Members of the domain read this reason in Activity."
MEMBERS_AND_OWNERS = "Members of the domain read this reason in Activity, and owners in their letter."
SUPPORT_ALONE = "Only support reads this reason."


class Refused(Exception):
    """An act can't be done to a row; str() says which and why."""


class LineField(forms.CharField):
    """One line that is kept with the event."""

    def __init__(self, **options):
        widget = forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"})
        super().__init__(max_length=REASON_LENGTH, widget=widget, **options)

    def clean(self, value):
        reason = super().clean(value)
        if not reason.isprintable():
            raise ValidationError("Remove the invisible or control characters.")
        if has_many_marks(reason):
            raise ValidationError(f"Use at most {MAX_MARKS} accents or marks on one letter.")
        return reason


class ReasonField(LineField):
    """Why support does something."""

    def __init__(self, read_by=MEMBERS):
        help_text = f"Why you're doing this, in a sentence. {read_by}"
        super().__init__(label="Reason", help_text=help_text, error_messages={"required": "Enter the reason."})


class NoteField(LineField):
    """What only support may read."""

    def __init__(self):
        help_text = "Optional, like a ticket's number. Only support reads it, in the event."
        super().__init__(label="Note for support", required=False, help_text=help_text)


class ReasonForm(forms.Form):
    """The reason of an act, and a note for support where members read the reason."""

    required_css_class = "required"

    def __init__(self, data, *, read_by):
        super().__init__(data)
        self.fields["reason"] = ReasonField(read_by)
        if read_by != SUPPORT_ALONE:
            self.fields["note"] = NoteField()


@dataclass(frozen=True)
class Act:
    """What staff can do to rows, once they have said why.

    `do(row, by, reason)` returns whether it changed anything; it may raise Refused, or
    DoesNotExist for a row that is gone. What the form asks besides the reason is passed by name.
    """

    name: str  # of the action
    title: str
    effect: str
    done: str  # "2 …"
    unchanged: str  # "1 was …"
    do: Callable[..., bool]
    form: type[ReasonForm] = ReasonForm
    read_by: str = MEMBERS  # who reads the reason


class SupportAdmin(admin.ModelAdmin):
    """A page for staff, without Django's deletion and without lookups of anything that it does not show."""

    list_per_page = 50
    list_max_show_all = 0
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False  # the dashboard's pages are for members
    # Functions (request, row) → Section or None; apps above add theirs.
    sections: tuple[Callable[[Any, Any], Section | None], ...] = ()

    def get_object(self, request, object_id, from_field=None):
        # With `?_to_field=` in the address Django looks for a field without a name.
        return super().get_object(request, object_id, from_field or None)

    def has_delete_permission(self, request, obj=None):
        return False

    def lookup_allowed(self, lookup, value, request):
        # Django's own rule lets `?verifier__startswith=…` through, which spells a secret out.
        filters = self.get_list_filter(request)
        shown = [getattr(item, "parameter_name", item) for item in filters]
        return lookup.removesuffix("__exact").removesuffix("__isnull") in shown

    def get_search_results(self, request, queryset, search_term):
        for word in search.words(search_term[:MAX_SEARCH]):
            queryset = queryset.filter(self._condition(word))
        return queryset, False

    def _condition(self, word) -> Q:
        if address := search.address(word):
            return self.by_address(address)
        username = search.username(word)
        if username and username.is_certain:
            return self.by_username(username)
        if "@" in word:
            return self.by_email(word)
        return self.by_text(word) | (self.by_username(username) if username else NOTHING)

    def by_address(self, address: str) -> Q:
        """The rows of a client's IP address."""
        return NOTHING

    def by_username(self, username: search.Username) -> Q:
        """The rows of a credential."""
        return NOTHING

    def by_email(self, email: str) -> Q:
        """The rows of a person."""
        return NOTHING

    def by_text(self, text: str) -> Q:
        """The rows with a text in one of their names."""
        return NOTHING

    def history_of(self, row) -> dict[str, Any]:
        """The query of the list of events that shows the history of a row."""
        return {}

    def history_view(self, request, object_id, extra_context=None):
        """Redirect to the events of a row: Django's own log knows only what was done in the admin."""
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return HttpResponseRedirect(changelist(Event, **self.history_of(row)))

    def log_addition(self, request, obj, message):
        """Write nothing to Django's own log."""

    log_change = log_addition

    def response_action(self, request, queryset):
        selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(len(pk) < 19 and pk.isascii() and pk.isdigit() for pk in selected):
            raise BadRequest("No row has such an id.")
        return super().response_action(request, queryset)

    def useless_acts(self, row) -> set[str]:
        """The names of acts that would change nothing in this row, so its page does not offer them."""
        return set()

    def render_change_form(self, request, context, *args, form_url="", obj=None, **kwargs):
        # A form that comes back after a confirmation of the sign-in has the address of that page.
        form_url = form_url or request.get_full_path()
        if obj:
            useless = self.useless_acts(obj)
            acts = self.get_actions(request).values()
            context["acts"] = [(name, text) for _function, name, text in acts if name not in useless]
            found = (section(request, obj) for section in self.sections)
            context["sections"] = [section for section in found if section]
            # The list that this page was opened from, to return to it after an act.
            context["filters"] = QueryDict(request.GET.get("_changelist_filters", "")).urlencode()
        return super().render_change_form(request, context, *args, form_url=form_url, obj=obj, **kwargs)

    def describe(self, row) -> str:
        """The row's name on the page that asks for a reason."""
        return str(row)

    def ask_and_do(self, request, queryset, act: Act):
        """Ask for the reason of an act on a page that lists its rows; once given, do it."""
        rows = list(queryset.order_by("pk")[: MAX_AT_ONCE + 1])
        if len(rows) > MAX_AT_ONCE:
            self.message_user(request, f"Select at most {MAX_AT_ONCE} at once.", messages.ERROR)
            return None
        form = act.form(request.POST if "reason" in request.POST else None, read_by=act.read_by)
        filters = request.POST.get("filters", request.GET.urlencode())
        if rows and not form.is_valid():
            return self._ask(request, rows, act, form, filters)
        answers = form.cleaned_data if rows else {}
        gone = len(set(request.POST.getlist(ACTION_CHECKBOX_NAME)) - {str(row.pk) for row in rows})
        self._do(request, rows, act, answers, gone)
        changelist = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        # Parsed and written again, so that only a query string can come out.
        query = QueryDict(filters).urlencode()
        return HttpResponseRedirect(f"{changelist}?{query}" if query else changelist)

    def _ask(self, request, rows, act, form, filters):
        context = self.admin_site.each_context(request) | {
            "title": act.title,
            "opts": self.opts,
            "act": act,
            "form": form,
            "filters": filters,
            "rows": [(row.pk, self.describe(row)) for row in rows],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/act.html", context)

    def _do(self, request, rows, act, given, gone):
        by = replace(Actor.of(request), note=given.pop("note", ""))
        counts, refused = Counter(gone=gone), []
        for row in rows:
            try:
                changed = act.do(row, by, **given)
            except ObjectDoesNotExist:
                counts["gone"] += 1
            except Refused as refusal:
                refused.append(str(refusal))
            else:
                counts["done" if changed else "unchanged"] += 1
        parts = [f"{counts['done']} {act.done}"] if counts["done"] else []
        parts += [_were(counts["unchanged"], act.unchanged), _were(counts["gone"], "already gone"), *refused]
        level = messages.SUCCESS if counts["done"] == len(rows) + gone else messages.WARNING
        self.message_user(request, ", ".join(filter(None, parts)) + ".", level)


def _were(count, what) -> str:
    return f"{count} {'was' if count == 1 else 'were'} {what}" if count else ""
