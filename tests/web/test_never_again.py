"""A mailbox that was signed up by somebody else: one press in its mail, and no sign-up mails it again."""

from __future__ import annotations

import re
from datetime import timedelta

from digest.domain.letters import LetterKind
from digest.pipeline.letters import write_letter
from digest.pipeline.sign_ups import take_in_sign_ups
from digest.store.database import reading, writing
from digest.store.letters import claim_letters, list_letters
from digest.track.tokens import Purpose
from tests.stores_searched import columns_that_hold
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.test_sign_up import NEW, ask
from tests.web.world import NOW, contents


def link_in_mail(site: Site, email: str = NEW) -> str:
    """Sign somebody up; return the path of the link in the mail that says never again."""
    assert ask(site, email).status_code == 303
    take_in_sign_ups(site.runtime)
    with writing(site.runtime.engine) as session:
        (letter,) = claim_letters(
            session, owner="test", limit=9, now=NOW, lease_until=NOW + timedelta(minutes=5)
        )
    _, octets = write_letter(site.runtime, letter)
    text = octets.decode().replace("=\r\n", "")
    links = set(re.findall(r"/never-again/[\w.-]+", text))
    assert len(links) == 1, "text and HTML lead to the same page"
    return links.pop()


def letters(site: Site) -> list[LetterKind]:
    with reading(site.runtime.engine) as session:
        return [one.kind for one in list_letters(session, limit=9)]


def test_one_press_keeps_sign_ups_away_and_another_lets_them_again(site: Site) -> None:
    link = link_in_mail(site)
    before = contents(site.runtime.engine)
    for _ in range(3):
        assert "Never ask this mailbox again?" in text_of(site.get(link).text)
        assert site.client.head(link).status_code == 200
    assert contents(site.runtime.engine) == before, "scanners open every link"
    assert NEW not in site.get(link).text
    for _ in range(2):
        assert "You are not asked again" in text_of(site.post(link, ask="never").text)
    with writing(site.runtime.engine) as session:
        session.connection().exec_driver_sql("DELETE FROM letters")
        session.connection().exec_driver_sql("DELETE FROM subscribers")
        session.connection().exec_driver_sql("DELETE FROM attempts")
    ask(site, NEW)
    take_in_sign_ups(site.runtime)
    assert letters(site) == []
    assert columns_that_hold(site.runtime.engine, NEW) == [], "known by a mark alone"
    assert "Never ask this mailbox again?" in text_of(site.post(link, ask="again").text)
    ask(site, NEW)
    take_in_sign_ups(site.runtime)
    assert letters(site) == [LetterKind.CONFIRMATION]


def test_a_forged_link_says_nothing_and_changes_nothing(site: Site) -> None:
    link = link_in_mail(site)
    before = contents(site.runtime.engine)
    other = site.runtime.tokens.sign(Purpose.UNSUBSCRIBE, 1, 1)
    for forged in (f"{link}x", f"/never-again/{other}", "/never-again/" + "a" * 64, "/never-again/x.y"):
        assert site.get(forged).status_code == site.post(forged, ask="never").status_code == 404
    assert contents(site.runtime.engine) == before


def test_the_page_speaks_as_the_browser_asks(site: Site) -> None:
    link = link_in_mail(site)
    page = site.client.get(link, headers={"accept-language": "de"})
    assert "Dieses Postfach nie wieder fragen?" in page.text
    assert page.headers["vary"] == "Accept-Language"
