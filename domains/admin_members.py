"""The members of a domain in the admin: added as viewers, lowered and removed, never raised."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.shortcuts import get_object_or_404

from accounts.models import User
from domains.models import Domain, Membership
from domains.roles import Role

ONLY_VIEWERS = "New members are viewers. An owner can raise the role under Members."
NOT_RAISED = "A role can only be lowered here. An owner can raise it under Members."


class MembershipForm(forms.ModelForm):
    """A member, by e-mail. Another user is another row.

    New members are viewers, and no role can be raised: staff could see passwords with a second account.
    """

    email = forms.EmailField(label="member's e-mail")

    class Meta:
        model = Membership
        fields = ("role",)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["email"] = self.instance.user.email
            self.fields["email"].disabled = True
        own_role = Role(self.instance.role) if self.instance.pk else Role.VIEWER
        if "role" in self.fields:  # not for staff who may only view
            field = self.fields["role"]
            field.choices = [(role.value, role.label) for role in own_role.grantable()]
            field.error_messages["invalid_choice"] = NOT_RAISED if self.instance.pk else ONLY_VIEWERS

    def clean_email(self):
        email = self.cleaned_data["email"]
        if self.instance.pk:
            return email
        try:
            self.instance.user = User.objects.get_confirmed(email)
        except User.DoesNotExist:
            raise ValidationError("No user has this e-mail address. Add the user first.") from None
        except User.NotConfirmed as error:
            raise ValidationError(str(error)) from None
        if Membership.objects.filter(domain=self.instance.domain_id, user=self.instance.user).exists():
            raise ValidationError("This user is already a member.")
        return self.instance.user.email


class MembershipFormSet(BaseInlineFormSet):
    """Requires an owner who can sign in, and prevents staff from adding themselves."""

    staff = None  # the signed-in user; set by MembershipInline

    def __init__(self, data=None, *args, instance=None, **kwargs):
        if data is not None:
            # As in domains/members/actions.py: staff and an owner concurrently could leave no owner.
            get_object_or_404(Domain.objects.held(), pk=instance.pk)
        super().__init__(data, *args, instance=instance, **kwargs)

    def clean(self):
        super().clean()
        kept = [form for form in self.forms if not self._should_delete_form(form)]
        changed = [form for form in self.forms if form.has_changed()]
        if any(form.instance.user_id == self.staff.pk for form in changed):
            raise ValidationError("You can't change your own membership here.")
        if changed and self._loses_owner(kept):
            raise ValidationError(
                "A domain needs an owner who can sign in. Another owner has to be added under Members first."
            )
        users = [form.instance.user_id for form in kept if form.instance.user_id]
        if len(users) > len(set(users)):
            raise ValidationError("The same user is listed twice.")

    def _loses_owner(self, kept) -> bool:
        owners = [form.instance.user for form in kept if form.cleaned_data.get("role") == Role.OWNER]
        had_active = self.get_queryset().filter(role=Role.OWNER, user__is_active=True).exists()
        return not owners or (had_active and not any(owner.is_active for owner in owners))


class MembershipInline(admin.TabularInline):
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    fields = ("email", "role", "created_at")
    readonly_fields = ("created_at",)
    extra = 0

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user", "domain").order_by("pk")

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        formset.staff = request.user
        return formset

    @admin.display(description="member's e-mail")
    def email(self, membership):
        return membership.user.email  # for staff who may only view
