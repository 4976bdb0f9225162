"""Mail scanners open every link, often more than once: looking must never be acting."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from digest.domain.deliveries import Claim, DeliveryId
from digest.domain.issues import IssueId
from digest.domain.subscribers import SubscriberId
from digest.pipeline.personal_mail import mail_for
from digest.store.audiences import EditionRow
from digest.store.database import reading
from digest.store.deliveries import DeliveryRow
from tests.web.site import Site
from tests.web.world import ADA, BEN, SENDING, contents

_LINK = re.compile(r"https?://[^\s\"'<>]+")


def mails_of(site: Site, issue_id: IssueId = SENDING) -> dict[str, EmailMessage]:
    """Every mail of an issue as it would be sent, by its reader's address."""
    write = mail_for(site.runtime, issue_id)
    with reading(site.runtime.engine) as session:
        rows = session.execute(
            select(DeliveryRow, EditionRow.key)
            .join(EditionRow, EditionRow.id == DeliveryRow.edition_id)
            .where(DeliveryRow.issue_id == issue_id)
        ).all()
    claims = [
        Claim(
            DeliveryId(row.id),
            row.fence,
            row.email,
            row.message_id,
            edition,
            SubscriberId(row.subscriber_id),
            row.attempts,
            row.created_at,
        )
        for row, edition in rows
    ]
    return {claim.email: message_from_bytes(write(claim)[1], policy=policy.default) for claim in claims}  # type: ignore[misc]


def links_of(mail: EmailMessage, site: Site) -> set[str]:
    """Every link of ours in a mail: in both its parts and its headers."""
    bodies = [mail.get_body((kind,)) for kind in ("html", "plain")]
    told = [*(body.get_content() for body in bodies if body), *map(str, mail.values())]
    return {link for text in told for link in _LINK.findall(text) if link.startswith(site.url)}


def test_every_link_of_ours_in_a_mail_leads_to_a_page(still_mailed_site: Site) -> None:
    mails = mails_of(still_mailed_site)
    assert set(mails) == {ADA, BEN}
    for mail in mails.values():
        links = links_of(mail, still_mailed_site)
        assert {link.split("/")[3] for link in links} == {"unsubscribe", "preferences", "online"}
        for link in links:
            assert still_mailed_site.get(link).status_code == 200, link


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_every_link_three_times_changes_nothing(method: str, still_mailed_site: Site) -> None:
    before = contents(still_mailed_site.runtime.engine)
    for mail in mails_of(still_mailed_site).values():
        for link in links_of(mail, still_mailed_site):
            for _ in range(3):
                assert still_mailed_site.client.request(method, link).status_code == 200
    assert contents(still_mailed_site.runtime.engine) == before


def test_the_comparison_would_notice_a_change(site: Site) -> None:
    before = contents(site.runtime.engine)
    link = next(link for link in links_of(mails_of(site)[ADA], site) if "/unsubscribe/" in link)
    assert site.client.post(link).status_code == 200
    after = contents(site.runtime.engine)
    changed = {table for table in after if after[table] != before[table]}
    assert changed == {"subscriptions", "deliveries", "departures"}


def test_the_headers_lead_to_help_and_to_no_archive_that_is_not_there(still_mailed_site: Site) -> None:
    for email, mail in mails_of(still_mailed_site).items():
        (link,) = re.findall(r"^<(https?://[^>]+)>$", str(mail["List-Help"]))
        page = still_mailed_site.get(link)
        assert page.status_code == 200
        assert "Your settings" in page.text
        assert email in page.text
        assert mail["List-Archive"] is None


def test_the_headers_lead_to_the_archive_where_there_is_one(archive: Site) -> None:
    for mail in mails_of(archive).values():
        assert mail["List-Archive"] == f"<{archive.url}/archive/saturday>"
        assert archive.get("/archive/saturday").status_code == 200


def test_one_click_goes_where_the_headers_of_the_mail_say(site: Site) -> None:
    mail = mails_of(site)[ADA]
    (link,) = re.findall(r"<(https?://[^>]+)>", mail["List-Unsubscribe"])
    name, _, value = str(mail["List-Unsubscribe-Post"]).partition("=")
    response = site.client.post(link, data={name: value})
    assert response.status_code == 200
    assert "You are unsubscribed" in response.text
