from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import path
from django.views.decorators.http import require_safe

from operations import system
from operations.models import JobRun


@admin.register(JobRun)
class SystemAdmin(admin.ModelAdmin):
    """One page for operators, who are superusers: how this site is. Nothing can be changed there."""

    def get_urls(self):
        page = self.admin_site.admin_view(require_safe(self.page))
        return [path("", page, name="operations_jobrun_changelist")]

    def has_view_permission(self, request, obj=None):
        return request.user.is_active and request.user.is_superuser

    has_module_permission = has_view_permission

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    has_delete_permission = has_change_permission

    def page(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        context = self.admin_site.each_context(request) | {"title": "System", "sections": system.sections()}
        return TemplateResponse(request, "admin/system.html", context)
