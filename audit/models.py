from django.conf import settings
from django.db import models


class EventQuerySet(models.QuerySet):
    def for_page(self, domain):
        """The events of one domain, newest first, in the order the Activity page shows them."""
        return self.filter(domain=domain).order_by("-at", "-pk")


class Event(models.Model):
    """One thing that happened. Names are copied, so that it reads the same when they are gone."""

    tag = models.CharField(max_length=64)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    actor_name = models.CharField(max_length=254)
    domain = models.ForeignKey("domains.Domain", models.SET_NULL, null=True, blank=True, related_name="events")
    domain_name = models.CharField(max_length=253, blank=True)
    credential = models.CharField("credential username", max_length=32, blank=True)
    ip = models.GenericIPAddressField("IP address", null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["domain", "-at"], name="event_domain_at"),
            models.Index(fields=["credential", "-at"], name="event_credential_at"),
            models.Index(fields=["-at"], name="event_at"),
        ]

    def __str__(self):
        return f"{self.tag} {self.credential or self.domain_name}".strip()
