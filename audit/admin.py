"""The admin of events, which nobody can change, and the title of all its pages."""

import json

from django.conf import settings
from django.contrib import admin
from django.utils.html import format_html

from audit.models import Event
from audit.support import SupportAdmin
from web.characters import harmless

NEWEST_EVENTS = 10_000  # whose tags the filter offers, so that it costs the same with any number of events

admin.site.site_header = f"SendLayer support {settings.VERSION}"
admin.site.site_title = admin.site.index_title = "SendLayer support"
# Rows are deleted by an act with a reason, or not at all.
admin.site.disable_action("delete_selected")


class TagFilter(admin.SimpleListFilter):
    title = parameter_name = "tag"

    def lookups(self, request, model_admin):
        newest = Event.objects.order_by("-at").values("pk")[:NEWEST_EVENTS]
        tags = Event.objects.filter(pk__in=newest).values_list("tag", flat=True).distinct().order_by("tag")
        return [(tag, tag) for tag in tags]

    def queryset(self, request, queryset):
        tag = self.value()
        return queryset.filter(tag=tag.replace("\x00", "")) if tag else queryset


@admin.register(Event)
class EventAdmin(SupportAdmin):
    """What happened, for reading only: an event is never written or changed by hand."""

    list_display = ("at", "tag", "actor_name", "domain_name", "credential", "ip", "reason")
    list_display_links = ("at", "tag")
    list_filter = (TagFilter,)
    search_fields = ("credential", "domain_name", "actor_name")
    search_help_text = "Credential username, domain name, or who did it"
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

    @admin.display(description="reason")
    def reason(self, event):
        return event.data.get("reason", "")

    @admin.display(description="data")
    def details(self, event):
        text = harmless(json.dumps(event.data, indent=2, ensure_ascii=False))
        return format_html("<pre>{}</pre>", text) if event.data else "-"
