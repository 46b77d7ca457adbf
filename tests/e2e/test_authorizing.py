"""A user adds a domain, proves it by a DNS record, and gets the first SMTP credentials."""

import pytest
from playwright.sync_api import expect

from domains.models import Domain
from tests.dns.server import proof
from tests.e2e.tab import copied

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def add(page, name):
    page.goto("/domains/add/")
    page.get_by_label("Domain name").fill(name)
    page.get_by_role("button", name="Add domain").click()
    expect(page.locator("#dns-ownership")).to_be_visible()


def status(page, text):
    expect(page.locator("#dns-ownership .dns-status")).to_have_text(text)


class TestAuthorizing:
    def test_add_verify_and_the_first_credential_is_there(self, window, alice, nsd):
        nsd.empty()
        page, watch = window(alice)
        watch.expect(409)
        add(page, " Shop.Example.COM. ")
        expect(page.locator(".toast")).to_contain_text("Domain added.")
        status(page, "Not checked yet")
        page.get_by_role("button", name="Verify").press("Enter")
        status(page, "Missing")
        expect(page.get_by_role("button", name="Verify")).to_be_focused()
        domain = Domain.objects.get()
        nsd.put(proof(domain))
        page.get_by_role("button", name="Verify").click()
        expect(page.locator(".toast.error")).to_contain_text("then press Verify again")
        Domain.objects.update(check_started_at=None)  # ten seconds later
        page.get_by_role("button", name="Verify").click()
        expect(page.locator(".toast", has_text="Domain authorized.")).to_be_visible()
        status(page, "Verified")
        expect(page.locator(".domain-switcher summary .dot")).to_have_class("dot authorized")
        page.get_by_role("link", name="Open SMTP Credentials").click()
        expect(page.locator("tr[id^=cred-]")).to_have_count(1)
        expect(page.locator("tr[id^=cred-]")).to_contain_text(domain.credentials.get().username)

    def test_dns_record_values_are_copied(self, window, alice):
        page, _ = window(alice)
        add(page, "shop.example.com")
        value = f"sendlayer-verification={Domain.objects.get().verification_token}"
        assert copied(page, "Copy value of the Ownership record") == value
        assert copied(page, "Copy hostname of the Ownership record") == "_sendlayer.shop"
        assert copied(page, "Copy full name of the Ownership record") == "_sendlayer.shop.example.com"

    def test_without_javascript(self, window, alice, nsd):
        nsd.empty()
        page, _ = window(alice, java_script_enabled=False)
        add(page, "shop.example.com")
        nsd.put(proof(Domain.objects.get()))
        page.get_by_role("button", name="Verify").click()
        expect(page.get_by_text("This domain is authorized.")).to_be_visible()  # the page comes again by itself
        status(page, "Verified")
