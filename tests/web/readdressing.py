"""A reader's new address for tests: asked for, and the links of the mails that follow."""

from __future__ import annotations

import re
from datetime import timedelta

from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.letters import LetterKind
from digest.pipeline.letters import write_letter
from digest.store.database import reading, writing
from digest.store.letters import arm_letter, claim_letters, list_letters, settle_letter
from digest.store.subscribers import SubscriberRow
from digest.track.tokens import Purpose
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import ADA

NEW = "ada@new.example.org"


def address_of(site: Site, who: int) -> str:
    with reading(site.runtime.engine) as session:
        return session.get_one(SubscriberRow, who).email


def all_letters(site: Site) -> list[tuple[LetterKind, str]]:
    with reading(site.runtime.engine) as session:
        return [(one.kind, one.email) for one in list_letters(session, limit=20)]


def letters(site: Site) -> set[tuple[LetterKind, str]]:
    return set(all_letters(site))


def mailed(site: Site, kind: LetterKind, path: str = "") -> str:
    """Have the letter of this kind that waits sent; return the path of the link in it, or of another one."""
    now = site.runtime.clock()
    with writing(site.runtime.engine) as session:
        waiting = [one for one in list_letters(session, limit=20) if one.kind is kind]
        letter_id = next(one.id for one in waiting if one.state is DeliveryState.PENDING)
        lease = now + timedelta(minutes=5)
        (letter,) = claim_letters(session, owner="w", limit=1, now=now, lease_until=lease, only=letter_id)
        assert arm_letter(session, letter, owner="w", now=now)
    _, raw = write_letter(site.runtime, letter)
    with writing(site.runtime.engine) as session:
        settle_letter(session, letter, Outcome(DeliveryState.ACCEPTED, 250, "ok"), now=now)
    text = raw.decode().replace("=\r\n", "")
    assert f"To: {letter.email}" in text
    found = re.search(rf"https?://[^/\s]+(/{path or kind}/[\w.=-]+)", text)
    assert found
    return found[1].replace("=3D", "=")


def ask(site: Site, email: str = NEW, of: str = ADA) -> str:
    return text_of(site.post(f"{site.link(Purpose.PREFERENCES, of)}/address", email=email).text)


def links(site: Site, email: str = NEW) -> tuple[str, str]:
    """Ask for this address; return the paths that the mails lead to: of the new one, of the one they have."""
    assert "goes to" in ask(site, email)
    return mailed(site, LetterKind.NEW_ADDRESS), mailed(site, LetterKind.LEAVE_ADDRESS)


def stored_changes(site: Site, of: str = ADA) -> list[dict[str, object]]:
    """Return the changes of address that whoever holds a link to a reader's settings is told."""
    told: list[dict[str, object]] = site.get(f"{site.link(Purpose.PREFERENCES, of)}/stored.json").json()[
        "address_changes"
    ]
    return told


def opens(site: Site, link: str) -> bool:
    return site.get(link).status_code == 200
