"""Whether the old password can be revoked: said only once whatever used it has the new one."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from credentials.models import Credential, LoginDay
from credentials.usage.tally import Tally
from tests.factories import SYSTEM, make_use
from tests.http import smtp_url, text

pytestmark = pytest.mark.django_db
SHOP, OFFICE = "203.0.113.7", "198.51.100.24"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEEP = 7 * DAY  # of which it has to be unused for a day
RESET = 3 * DAY  # ago


def plain(markup):
    return " ".join(re.sub(r"<[^>]*>", "", markup).split())


def reset(credential, *, ago=RESET, keep=KEEP):
    credential.reset_password(by=SYSTEM, keep_old_for=keep)
    at = timezone.now() - ago
    Credential.objects.update(password_changed_at=at, previous_valid_until=at + keep)
    credential.refresh_from_db()


def use(credential, ip, *, ago, old=False):
    make_use(credential, ip, at=timezone.now() - ago, is_previous=old)


@pytest.fixture
def verdict(as_alice, credential):
    """The verdict on the page, which is also that of the question; with the list of who uses which."""

    def verdict():
        page, question = (text(as_alice.get(smtp_url(credential, act))) for act in ("page", "revoke_old"))
        box = page[page.index('aria-labelledby="rotation"') :]
        box = box[: box.index("</section>")]
        said = plain(re.search(r'<p class="alert .*?</p>', box, re.DOTALL)[0])
        assert said in plain(question)
        users = re.search(r'<ul class="lines".*?</ul>', box, re.DOTALL)
        return said, re.findall(r"<li>(.*?)</li>", users[0], re.DOTALL) if users else []

    return verdict


def test_no_login_since_the_reset_is_not_safe(verdict, credential):
    use(credential, SHOP, ago=4 * DAY)
    reset(credential)
    said, users = verdict()
    assert said == (
        "The site has not logged in since the reset, so it may still hold the old password: "
        "don’t revoke it yet."
    )
    assert [plain(user) for user in users] == [f"{SHOP} no login since the reset"]


def test_no_login_of_several_clients_is_not_safe(verdict, credential):
    for ip in (SHOP, OFFICE):
        use(credential, ip, ago=4 * DAY)
    reset(credential)
    assert verdict()[0].startswith("None of the 2 clients of the weeks before has logged in since the reset")


def test_unused_passwords_are_not_called_safe_however_long_that_is(verdict, credential):
    use(credential, SHOP, ago=8 * DAY)
    reset(credential, ago=6.9 * DAY)
    assert "don’t revoke it yet" in verdict()[0]


def test_clients_that_moved_are_safe(verdict, credential):
    for ip in (SHOP, OFFICE):
        use(credential, ip, ago=4 * DAY)
    reset(credential)
    use(credential, SHOP, ago=2 * DAY, old=True)
    for ip in (SHOP, OFFICE):
        use(credential, ip, ago=HOUR)
    said, users = verdict()
    assert said.startswith(
        "It’s safe to revoke the old password. All 2 clients of the weeks before the reset have"
    )
    assert f"The old one was last used {timezone.now() - 2 * DAY:%b}" in said
    assert [plain(user)[: len(ip) + 13] for user, ip in zip(users, (OFFICE, SHOP), strict=True)] == [
        f"{OFFICE} New password",
        f"{SHOP} New password",
    ]


def test_the_only_client_that_moved_is_safe(verdict, credential):
    use(credential, SHOP, ago=4 * DAY)
    reset(credential)
    use(credential, SHOP, ago=HOUR)
    assert verdict()[0] == (
        "It’s safe to revoke the old password. The one client of the weeks before the reset, 203.0.113.7, has "
        "logged in with the new password since. The old one hasn’t been used."
    )


def test_client_that_still_uses_the_old_password_is_named(verdict, credential):
    for ip in (SHOP, OFFICE):
        use(credential, ip, ago=4 * DAY)
    reset(credential)
    use(credential, SHOP, ago=2 * DAY)
    use(credential, OFFICE, ago=5 * HOUR, old=True)
    said, _users = verdict()
    assert said == f"Don’t revoke it yet. {OFFICE} still uses the old password, last 5 hours ago."


def test_client_that_went_back_to_the_old_password_is_named(verdict, credential):
    reset(credential)
    use(credential, SHOP, ago=2 * DAY)
    use(credential, SHOP, ago=HOUR, old=True)
    assert f"{SHOP} still uses the old password" in verdict()[0]


def test_client_that_has_not_logged_in_is_named_though_another_moved(verdict, credential):
    for ip in (SHOP, OFFICE):
        use(credential, ip, ago=20 * DAY)
    reset(credential)
    use(credential, SHOP, ago=HOUR)
    said, _users = verdict()
    assert said == f"Don’t revoke it yet. {OFFICE} has not logged in since the reset."


def test_many_clients_that_have_not_moved_are_counted(verdict, credential):
    for number in range(6):
        use(credential, f"192.0.2.{number}", ago=4 * DAY)
    reset(credential)
    use(credential, "192.0.2.0", ago=HOUR)
    assert verdict()[0].endswith("and 2 more clients have not moved to the new password.")


@pytest.mark.parametrize(("ago", "is_safe"), [(23 * HOUR, False), (25 * HOUR, True)])
def test_old_password_that_was_used_just_now_is_not_safe_since_sites_may_share_an_address(
    verdict, credential, ago, is_safe
):
    use(credential, SHOP, ago=4 * DAY)
    reset(credential)
    use(credential, SHOP, ago=ago, old=True)
    use(credential, SHOP, ago=HOUR)
    said, _users = verdict()
    assert said.startswith("It’s safe") is is_safe
    assert ("wait until the old password hasn’t been used for 24 hours" in said) is not is_safe


def test_quiet_time_is_a_quarter_of_a_short_grace_period(verdict, credential):
    use(credential, SHOP, ago=4 * DAY)
    reset(credential, ago=0.6 * HOUR, keep=HOUR)
    use(credential, SHOP, ago=0.2 * HOUR, old=True)
    use(credential, SHOP, ago=0.1 * HOUR)
    assert "hasn’t been used for 15 minutes" in verdict()[0]


def test_without_a_client_before_the_reset_nothing_is_known(verdict, credential):
    reset(credential)
    assert verdict()[0].startswith("It isn’t known which sites hold the old password: no login is known from")
    use(credential, SHOP, ago=HOUR)
    said, users = verdict()
    assert "and what has logged in since used the new one. Revoke it once" in said
    assert plain(users[0]).startswith(f"{SHOP} New password 1 hour ago")


def test_client_that_began_with_the_old_password_after_the_reset_has_to_move(verdict, credential):
    reset(credential)
    use(credential, SHOP, ago=2 * DAY, old=True)
    assert f"{SHOP} still uses the old password" in verdict()[0]
    use(credential, SHOP, ago=HOUR)
    assert verdict()[0].startswith("It’s safe")


def test_refused_login_with_the_new_address_moves_nobody(verdict, credential):
    use(credential, SHOP, ago=4 * DAY)
    reset(credential)
    make_use(credential, SHOP, outcome="wrong_password")
    assert "The site has not logged in since the reset" in verdict()[0]


def test_message_in_a_session_of_before_moves_nobody(verdict, credential):
    use(credential, SHOP, ago=4 * DAY)
    reset(credential)
    tally = Tally()
    tally.add_message(credential.username, SHOP, ehlo="shop.example", mail_from="info@sl.example.com")
    tally.write()
    assert "The site has not logged in since the reset" in verdict()[0]


def test_login_of_the_moment_of_the_reset_moves_nobody(verdict, credential):
    use(credential, SHOP, ago=4 * DAY)
    reset(credential)
    # Judged by the password of then, counted a moment later.
    make_use(credential, SHOP, at=credential.password_changed_at + timedelta(seconds=1))
    assert "The site has not logged in since the reset" in verdict()[0]


def test_logins_of_the_day_of_the_reset_are_told_apart(verdict, credential):
    noon = timezone.now().replace(hour=12, minute=0) - DAY
    make_use(credential, SHOP, at=noon - HOUR)
    reset(credential)
    Credential.objects.update(password_changed_at=noon, previous_valid_until=noon + KEEP)
    assert "The site has not logged in since the reset" in verdict()[0]
    make_use(credential, SHOP, at=noon + HOUR, is_previous=True)
    assert f"{SHOP} still uses the old password" in verdict()[0]
    make_use(credential, SHOP, at=noon + 2 * HOUR)
    Credential.objects.update(previous_valid_until=noon + 2 * DAY)
    assert "but the old one was last used" in verdict()[0] or verdict()[0].startswith("It’s safe")


def test_addresses_that_are_not_listed_are_never_said_to_have_moved(verdict, credential, monkeypatch):
    monkeypatch.setattr("credentials.usage.writer.MAX_ADDRESSES", 1)
    for ip in (SHOP, OFFICE):
        use(credential, ip, ago=4 * DAY)
    reset(credential)
    for ip in (SHOP, OFFICE):
        use(credential, ip, ago=HOUR)
    said, _users = verdict()
    assert (
        said
        == "Don’t revoke it yet. Some addresses that aren’t listed one by one may still use the old password."
    )


def test_logins_from_before_passwords_were_told_apart_move_nobody(verdict, credential):
    use(credential, SHOP, ago=4 * DAY)
    reset(credential)
    use(credential, SHOP, ago=HOUR)
    LoginDay.objects.update(current_at=None)
    assert "The site has not logged in since the reset" in verdict()[0]


def test_a_second_reset_begins_anew(verdict, credential):
    use(credential, SHOP, ago=4 * DAY)
    reset(credential)
    use(credential, SHOP, ago=2 * DAY, old=True)
    use(credential, SHOP, ago=1.5 * DAY)
    reset(credential, ago=DAY)
    assert "The site has not logged in since the reset" in verdict()[0]


def test_rotation_of_a_suspended_smtp_user_is_kept(as_alice, credential):
    reset(credential)
    credential.suspend(by=SYSTEM)
    assert "The old password is kept until" in plain(text(as_alice.get(smtp_url(credential, "page"))))


def test_page_without_a_rotation_has_no_box(as_alice, credential):
    credential.reset_password(by=SYSTEM)
    assert 'id="rotation"' not in text(as_alice.get(smtp_url(credential, "page")))
