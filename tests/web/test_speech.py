"""What the public pages say themselves, in every language it is said in."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from playwright.sync_api import Page
from sqlalchemy import update

from digest.compose.catalogues import Catalogues
from digest.compose.escaping import Safe
from digest.compose.phrases import PLACEHOLDER, Phrase
from digest.domain.errors import Misconfigured
from digest.domain.newsletters import NewsletterId
from digest.store.database import writing
from digest.store.newsletters import change_newsletter
from digest.store.subscribers import SubscriberRow
from digest.track.tokens import Purpose
from digest.web.speech import DOMAIN, Speech, accepted_languages, phrases_said
from digest.web.templating import Pages
from tests.catalogues import assert_up_to_date
from tests.web.site import Site
from tests.web.test_archive import FEEDS, HOME, PAGES
from tests.web.test_browser import overflow
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN

WEB = Path(__file__).parents[2] / "templates/web"
CATALOGUES = Catalogues(WEB / "locale", DOMAIN)
SAID = dict.fromkeys(phrase for _, phrase in phrases_said(WEB))
TRANSLATED = [language for language in CATALOGUES.languages if language != "en"]


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(WEB)


# --- the catalogues


def test_pages_speak_every_language_that_mails_do() -> None:
    assert CATALOGUES.languages == Catalogues(WEB.parent / "email/locale").languages


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_every_phrase_and_no_other(language: str) -> None:
    file = WEB / "locale" / language / "LC_MESSAGES" / "pages.po"
    catalogue = read_po(file.open("rb"), abort_invalid=True)
    messages = {(message.context or "", message.id): message for message in catalogue if message.id}
    wanted = {(p.context, (p.text, p.plural) if p.plural else p.text): p for p in SAID}
    assert messages.keys() == wanted.keys()
    for key, message in messages.items():
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert not message.fuzzy, key
        for form in forms:
            assert form.strip() == form != "", key
            assert set(PLACEHOLDER.findall(form)) == wanted[key].placeholders, key


def test_catalogues_are_what_the_tool_writes(tmp_path: Path) -> None:
    assert_up_to_date("pages", tmp_path)


def test_a_name_means_one_phrase() -> None:
    names = [phrase.context for phrase in SAID]
    assert all(names)
    assert len(names) == len(set(names)) > 80


def test_a_broken_catalogue_is_told_when_the_pages_are_put_together(tmp_path: Path) -> None:
    for file in WEB.rglob("*"):
        if file.is_file():
            copy = tmp_path / file.relative_to(WEB)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    spoiled = tmp_path / "locale/de/LC_MESSAGES/pages.po"
    spoiled.write_text(spoiled.read_text().replace('"Ausgaben zu {topics}"', '"Ausgaben zu {themen}"'))
    with pytest.raises(Misconfigured, match=r"pages\.po line \d+: nothing is there to fill \{themen\} with"):
        Pages(tmp_path)


# --- how a page speaks


def test_what_is_filled_into_a_phrase_is_text_unless_it_is_markup(pages: Pages) -> None:
    speech = Speech(pages.phrases("en"))
    said = speech.pgettext("x", "<{who}> & {what}", who="<script>{what}{{7*7}}", what=Safe("<b>b</b>"))
    assert said == "&lt;&lt;script&gt;&#123;what&#125;&#123;&#123;7*7&#125;&#125;&gt; &amp; <b>b</b>"
    assert (
        speech.npgettext("x", "{count} day, {who}", "{count} days, {who}", 1200, who='"')
        == "1,200 days, &quot;"
    )


@pytest.mark.parametrize(
    ("languages", "spoken"),
    [
        (("de",), "de"),
        (("de-AT", "fr"), "de-AT"),
        (("it", "fr"), "fr"),
        (("", "es"), "es"),
        (("ar",), "en"),
        (("en-US", "de"), "en-US"),
        (("../../de", "\0", "x" * 99), "en"),
        ((), "en"),
    ],
)
def test_pages_speak_the_first_language_that_is_translated(
    languages: tuple[str, ...], spoken: str, pages: Pages
) -> None:
    assert pages.phrases(*languages).language == spoken


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("", []),
        ("de", ["de"]),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", ["fr-CH", "fr", "en", "de"]),
        ("en;q=0.1,de; q=0.5 , es;q=0", ["de", "en"]),
        ("de;q=2, fr;q=x, <script>, ;;;, es", ["es"]),
        (",".join(["it"] * 500 + ["de"]), ["it"] * 20),
        ("\ud800\x00", []),
    ],
)
def test_what_a_browser_accepts_is_read_in_its_order(header: str, languages: list[str]) -> None:
    assert accepted_languages(header) == languages


# --- the pages


def english_left(page: str) -> list[str]:
    """The English phrases, long enough to be no other language's, that a page says, attributes and all."""
    told = html.unescape(page).replace("List-Unsubscribe", "")
    pieces = {piece.strip(" .,:") for phrase in SAID for piece in _pieces(phrase)}
    return [piece for piece in pieces if len(piece) > 9 and piece in told]


def _pieces(phrase: Phrase) -> list[str]:
    return PLACEHOLDER.split(phrase.text)[::2]


def in_language(site: Site, language: str) -> Site:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), language=language)
    return site


@pytest.mark.parametrize("language", TRANSLATED)
def test_an_archive_is_in_its_newsletters_language(own_archive: Site, language: str) -> None:
    before = english_left("".join(own_archive.get(path).text for path in PAGES))
    assert len(before) > 12, "the control"
    site = in_language(own_archive, language)
    for path in [*PAGES, f"{HOME}/99", f"{HOME}/3?topic=oceans", f"{HOME}?topic=oceans", f"{HOME}?before=1"]:
        page = site.get(path).text
        assert f'<html lang="{language}" dir="ltr">' in page, path
        assert english_left(page) == [], path
    for path in FEEDS:
        assert english_left(site.get(path).text) == [], path


def test_plurals_days_and_numbers_are_the_languages_own(own_archive: Site) -> None:
    told = text_of(in_language(own_archive, "de").get(HOME).text)
    assert "Ausgabe 2 · 9.–15. November 2026 · 6 Artikel" in told
    assert "und 9 weitere" in told
    told = text_of(in_language(own_archive, "fr").get(f"{HOME}/topics").text)
    assert "3 numéros, le dernier : numéro 3" in told.replace("\u00a0", " ")


def test_an_archive_nobody_translated_speaks_english_and_says_so(own_archive: Site) -> None:
    page = in_language(own_archive, "ar").get(HOME).text
    assert '<html lang="en" dir="ltr">' in page
    assert "Every issue" in page
    assert 'lang="ar" dir="auto">The Saturday Reader</a>' in page


READERS_PAGES = (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_readers_pages_are_in_the_newsletters_language(site: Site, language: str) -> None:
    in_language(site, language)
    for purpose in READERS_PAGES:
        link = site.link(purpose, ADA)
        ways = [("", {"save": "topics", "topic": ["food"]}), ("/pause", {}), ("/return", {})]
        shown = [site.get(link), *(site.post(f"{link}{way}", **form) for way, form in ways)]  # type: ignore[arg-type]
        if purpose is Purpose.UNSUBSCRIBE:
            shown = [site.get(link), site.post(link), site.post(f"{link}/undo")]
        for response in shown:
            assert response.status_code == 200
            assert f'<html lang="{language}" dir="ltr">' in response.text
            assert english_left(response.text) == [], response.url


def test_a_readers_pages_are_in_their_own_language_where_it_is_known_and_spoken(site: Site) -> None:
    in_language(site, "de")
    for email, language in ((ADA, "fr"), (BEN, "ar")):
        with writing(site.runtime.engine) as session:
            session.execute(
                update(SubscriberRow).where(SubscriberRow.email == email).values(language=language)
            )
    assert '<html lang="fr" dir="ltr">' in site.get(site.link(Purpose.PREFERENCES, ADA)).text
    page = site.get(site.link(Purpose.PREFERENCES, BEN)).text
    assert '<html lang="de" dir="ltr">' in page, "the newsletter's, as nobody translated theirs"
    assert 'lang="de" dir="auto">The Saturday Reader</p>' in page


@pytest.mark.parametrize("language", TRANSLATED)
def test_an_error_is_in_the_language_of_the_browser(still_site: Site, archive: Site, language: str) -> None:
    asked = {"Accept-Language": f"{language}-CH, en;q=0.5"}
    answers = [
        still_site.client.get("/unsubscribe/forged", headers=asked),
        still_site.client.post(still_site.link(Purpose.PREFERENCES, ADA), headers=asked),
        archive.client.get("/archive/nobody", headers=asked),
        archive.client.get(f"{HOME}?before=x", headers=asked),
        archive.client.post(HOME, headers=asked),
    ]
    assert [answer.status_code for answer in answers] == [404, 422, 404, 422, 405]
    for answer in answers:
        assert f'<html lang="{language}-CH" dir="ltr">' in answer.text
        assert english_left(answer.text) == [], answer.url
        assert answer.headers["vary"] == "Accept-Language"


def test_an_error_is_in_english_for_whoever_names_no_other_language(still_site: Site) -> None:
    for header in ("", "ar", "xx-yy;q=1, *", "de;q=0", "\x7f<script>"):
        answer = still_site.client.get("/preferences/forged", headers={"Accept-Language": header})
        assert '<html lang="en" dir="ltr">' in answer.text
        assert "This link does not work" in answer.text


def test_the_desk_stays_english(open_site: Callable[..., Site], filled_database: Path) -> None:
    site = in_language(open_site(filled_database), "de")
    answer = site.client.get("/", headers={"Accept-Language": "de"})
    assert '<html lang="en" dir="ltr">' in answer.text
    assert '<html lang="en"' in site.client.get("/nowhere", headers={"Accept-Language": "de"}).text


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_readers_pages_fit_a_phone_in_any_language(site: Site, language: str, page: Page) -> None:
    in_language(site, language)
    page.set_viewport_size({"width": 320, "height": 800})
    for path in (*(site.link(purpose, ADA) for purpose in READERS_PAGES), "/preferences/forged"):
        page.goto(site.url + path)
        assert overflow(page) == 0, path
