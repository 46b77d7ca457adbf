"""The admin of events, which nobody can change, and the title of all its pages."""

import json

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html

from audit import search
from audit.lists import ChosenFilter
from audit.models import Event
from audit.support import SupportAdmin
from web.characters import harmless
from web.dates import moment

admin.site.site_header = f"SendLayer support {settings.VERSION}"
admin.site.site_title = admin.site.index_title = "SendLayer support"
admin.site.site_url = None  # for staff who are members, the index has a link to their domains
admin.site.enable_nav_sidebar = False  # the top of each page has links to the lists
# Rows are deleted by an act with a reason, or not at all.
admin.site.disable_action("delete_selected")


class TagFilter(admin.SimpleListFilter):
    title = parameter_name = "tag"

    def lookups(self, request, model_admin):
        return [(tag, tag) for tag in Event.objects.tags()]

    def queryset(self, request, queryset):
        tag = self.value()
        return queryset.filter(tag=tag.replace("\x00", "")) if tag else queryset


class PersonFilter(ChosenFilter):
    """What a person did, and what support did to their account."""

    title = parameter_name = "person"
    field = "actor"
    ON_ACCOUNTS = (
        "support.user_added",
        "support.user_changed",
        "support.password_reset_sent",
        "support.sessions_ended",
        "support.two_factor_removed",
    )

    def queryset(self, request, queryset):
        (_key, email) = self.lookup_choices[0]
        to_them = Q(tag__in=self.ON_ACCOUNTS, data__user=email)
        return queryset.filter(Q(actor_id=self.value()) | to_them)


@admin.register(Event)
class EventAdmin(SupportAdmin):
    """What happened, for reading only: an event is never written or changed by hand."""

    list_display = ("when", "tag", "actor_name", "domain_name", "user", "ip", "reason")
    list_display_links = ("when", "tag")
    list_filter = (TagFilter, ChosenFilter.of("domain", "domain"), PersonFilter)
    sortable_by = ()
    search_fields = ("credential", "domain_name", "actor_name", "ip")
    search_help_text = (
        "Username (whole, its beginning, or as pages and logs show it), part of a domain (the whole name of a "
        "deleted one), who did it, or from which IP address"
    )
    ordering = ("-at", "-pk")
    fields = readonly_fields = (
        "at",
        "tag",
        "actor_name",
        "domain_name",
        "credential",
        "ip",
        "user_agent",
        "details",
    )

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def by_address(self, address):
        return Q(ip=address)

    def by_username(self, username):
        return username.condition("credential")

    def by_email(self, email):
        return Q(actor_name=email.lower())

    def by_text(self, text):
        domains = Event._meta.get_field("domain").related_model.objects.search(text)
        return Q(domain__in=search.keys(domains)) | Q(domain_name=text.lower()) | Q(actor_name=text)

    @admin.display(description="time")
    def when(self, event):
        return moment(event.at)

    @admin.display(description="credential")
    def user(self, event):
        name = event.credential
        return format_html('<code title="{}">{}…</code>', name, name[:8]) if name else "-"

    @admin.display(description="reason")
    def reason(self, event):
        return event.data.get("reason", "")

    @admin.display(description="data")
    def details(self, event):
        text = harmless(json.dumps(event.data, indent=2, ensure_ascii=False))
        return format_html("<pre>{}</pre>", text) if event.data else "-"
