"""What comes back: webhooks of providers and the mailbox for bounces."""

from pathlib import Path

import pytest

from digest.doctor import Check
from tests.doctor.looking import look
from tests.servers.processes import free_port
from tests.servers.provider_dialects import Postmark

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize(
    ("settings", "name", "advice"),
    [
        ({"hook_postmark_secret": "user:short"}, "Postmark", "USER:PASSWORD"),
        ({"hook_sendgrid_key": "c2VjcmV0"}, "SendGrid", "no public key"),
        ({"hook_sns_topics": "arn:aws:s3:::bucket"}, "Amazon SES", "no topic of Amazon SNS"),
        ({"hook_mailgun_key": "hunter2", "mail_key": "hunter2"}, "Mailgun", "HTTP webhook signing key"),
    ],
)
def test_a_webhook_whose_setting_is_of_no_use_is_told(
    settings: dict[str, str], name: str, advice: str
) -> None:
    found = look(f"webhook of {name}", **settings)
    assert not found.is_well
    assert advice in found.advice
    assert "hunter2" not in str(found)


def test_a_webhook_says_where_its_provider_posts_and_whether_it_can() -> None:
    secret = {"hook_postmark_secret": "user:a long password"}
    found = look("webhook of Postmark", public_url="https://digest.example.org/", **secret)
    assert found == Check(
        "webhook of Postmark", True, "taken in at https://digest.example.org/hooks/postmark"
    )
    assert "https" in look("webhook of Postmark", public_url="http://digest.example.org", **secret).advice
    assert "cannot reach" in look("webhook of Postmark", **secret).advice


def test_a_provider_that_mail_leaves_by_and_that_tells_us_nothing_is_told() -> None:
    mail_url = Postmark().mail_url(f"http://127.0.0.1:{free_port()}")
    found = look("webhook of Postmark", mail_url=mail_url, mail_key="k")
    assert (found.is_well, found.found) == (True, "none")
    assert "set hook_postmark_secret" in found.advice


def test_a_mailbox_for_bounces_is_opened_and_nothing_taken_in(folder: Path) -> None:
    for name in ("new", "cur"):
        (folder / "bounces" / name).mkdir(parents=True)
    (folder / "bounces/new/1").write_bytes(b"a mail")
    url = {"bounce_mailbox_url": f"maildir:{folder / 'bounces'}"}
    assert look("bounce mailbox", return_path="b+*@example.org", **url).is_well
    assert (folder / "bounces/new/1").exists()
    assert "return_path with a *" in look("bounce mailbox", **url).advice
    (folder / "bounces/cur").rmdir()
    assert "cur cannot be written" in look("bounce mailbox", return_path="b+*@example.org", **url).advice
    away = look("bounce mailbox", bounce_mailbox_url=f"imap://u:hunter2@127.0.0.1:{free_port()}/INBOX")
    assert "Connection refused" in away.advice
    assert "hunter2" not in str(away)
