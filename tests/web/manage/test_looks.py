"""How mail looks and is worded, on the managing pages: shown before it is saved, checked as a file is."""

from __future__ import annotations

import pytest

from digest.domain.accounts import Role
from digest.domain.themes import USUAL, Logo, Theme
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from tests.web.manage.forms import fields_of, filled_in
from tests.web.manage.test_newsletters import audited
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import contents

HOME = "/manage/newsletters/saturday"
LOOK, WORDING = f"{HOME}/look", f"{HOME}/wording"
SAID = f"{WORDING}?language=en&amp;kind=digest"
ACCENT = "#0b5394"


def theme_of(site: Site) -> Theme:
    with reading(site.runtime.engine) as session:
        return get_newsletter(session, "saturday").theme


def look(site: Site, **given: str | list[str]) -> dict[str, str | list[str]]:
    dotted = {name.replace("__", "."): value for name, value in given.items()}
    return filled_in(site, LOOK, LOOK, **dotted)


def words(site: Site, **given: str) -> dict[str, str | list[str]]:
    named = {name.replace("__", "|"): value for name, value in given.items()}
    return {**fields_of(site.get(WORDING).text.replace("&amp;", "&"), SAID.replace("&amp;", "&")), **named}


def test_a_look_is_changed_recorded_and_seen_in_the_mail(site: Site) -> None:
    assert ACCENT not in site.get(f"{LOOK}/mail").text
    assert (
        site.submit(LOOK, **look(site, light__accent=ACCENT, font="Verdana, sans-serif")).status_code == 303
    )
    theme = theme_of(site)
    assert (theme.light.accent, theme.font, theme.dark) == (ACCENT, "Verdana, sans-serif", USUAL.dark)
    assert ACCENT in site.get(f"{LOOK}/mail").text
    by, what, about, detail = audited(site)[0]
    assert (by, what, about) == ("Ada Admin", "newsletter.look-changed", "saturday")
    assert f"light.accent: {USUAL.light.accent} → {ACCENT}" in detail


def test_a_logo_is_given_and_taken_away(site: Site) -> None:
    logo = {"logo.url": "https://example.org/logo.png", "logo.alt": "The Reader", "logo.width": "240"}
    assert site.submit(LOOK, **{**look(site), **logo, "logo.replaces_name": "yes"}).status_code == 303
    assert theme_of(site).logo == Logo("https://example.org/logo.png", "The Reader", 240, replaces_name=True)
    gone = dict.fromkeys(logo, "")
    assert site.submit(LOOK, **{**look(site), **gone}).status_code == 303
    assert theme_of(site).logo is None


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("light.accent", "#eeeeee", "has a contrast of 1.06:1, and text needs 4.5:1: make accent darker"),
        ("dark.ink", "red", "Dark.ink is 'red': write a colour as #rrggbb"),
        ("font", "Comic", "Font ends in Comic, which not every reader has"),
        ("logo.url", "http://example.org/x.png", "Logo.alt is '': say in a line what the logo says"),
        ("logo.width", "9", "Logo.width is 9: give a whole number of pixels from 16 to 536"),
    ],
)
def test_what_no_reader_could_read_is_refused_beside_its_field_and_in_the_preview(
    site: Site, field: str, value: str, problem: str
) -> None:
    before = contents(site.runtime.engine)
    form = {**look(site), field: value}
    answer = site.submit(LOOK, **form)
    assert answer.status_code == 422
    assert problem in text_of(answer.text)
    assert f'value="{value}"' in answer.text
    shown = site.submit(f"{LOOK}/mail", **form)
    assert shown.status_code == 422
    assert problem in text_of(shown.text)
    assert shown.headers["x-frame-options"] == "SAMEORIGIN"
    assert contents(site.runtime.engine) == before


def test_a_look_is_shown_before_it_is_saved_in_light_and_in_dark(site: Site) -> None:
    before = contents(site.runtime.engine)
    form = look(site, light__accent=ACCENT)
    light = site.submit(f"{LOOK}/mail", **form, scheme="light")
    dark = site.submit(f"{LOOK}/mail", **form, scheme="dark")
    assert ACCENT in light.text
    assert light.text != dark.text
    assert "sandbox" in light.headers["content-security-policy"]
    assert "Climate" in light.text, "it has the newsletter's own topics"
    assert contents(site.runtime.engine) == before


def test_the_usual_look_comes_back_and_the_wording_stays(site: Site) -> None:
    site.submit(LOOK, **look(site, light__accent=ACCENT))
    site.submit(SAID.replace("&amp;", "&"), **words(site, unsubscribe__other="No more of this"))
    assert site.submit(f"{LOOK}/reset").status_code == 303
    theme = theme_of(site)
    assert theme.light == USUAL.light
    assert theme.wording["en"]["unsubscribe"] == {"other": "No more of this"}


def test_two_who_change_different_colours_both_keep_theirs(site: Site) -> None:
    mine = look(site, light__accent=ACCENT)
    site.submit(LOOK, **look(site, dark__accent="#9fc5e8", light__rule="#cccccc"))
    assert site.submit(LOOK, **mine).status_code == 303
    assert (theme_of(site).light.accent, theme_of(site).dark.accent) == (ACCENT, "#9fc5e8")
    clash = {**mine, "light.accent": "#123456"}
    answer = site.submit(LOOK, **clash)
    assert answer.status_code == 409
    assert f"Somebody set this to {ACCENT}" in text_of(answer.text)


def test_a_phrase_is_worded_seen_in_the_mail_and_said_as_usual_again(site: Site) -> None:
    save = SAID.replace("&amp;", "&")
    assert site.submit(save, **words(site, unsubscribe__other="No more of this")).status_code == 303
    assert "No more of this" in site.get(f"{LOOK}/mail").text
    assert audited(site)[0][3] == "en unsubscribe (other): – → No more of this"
    assert site.submit(save, **words(site, unsubscribe__other="")).status_code == 303
    assert theme_of(site).wording == {}


def test_a_phrase_that_counts_has_its_forms(site: Site) -> None:
    save = SAID.replace("&amp;", "&")
    given = words(site, reading_time__one="a minute", reading_time__other="{count} minutes")
    assert site.submit(save, **given).status_code == 303
    assert theme_of(site).wording["en"]["reading_time"] == {"one": "a minute", "other": "{count} minutes"}
    answer = site.submit(save, **words(site, reading_time__other=""))
    assert answer.status_code == 422
    assert "'other' must be there" in text_of(answer.text)


def test_words_that_fill_in_what_is_not_there_are_refused_beside_the_phrase(site: Site) -> None:
    before = theme_of(site)
    answer = site.submit(SAID.replace("&amp;", "&"), **words(site, unsubscribe__other="Stop, {name}"))
    assert answer.status_code == 422
    assert "of what is filled in, this phrase knows nothing in braces" in text_of(answer.text)
    assert 'value="Stop, {name}"' in answer.text
    assert theme_of(site) == before


def test_a_language_that_nobody_translated_is_worded_whole_or_not_at_all(site: Site) -> None:
    page = f"{WORDING}?language=pl"
    assert "Mail is not translated into pl" in read(site, page)
    answer = site.submit(
        f"{WORDING}?language=pl&kind=digest", was="{}", **{"unsubscribe|other": "Wypisz się"}
    )
    assert answer.status_code == 422
    assert "There is no translation into 'pl', so its wording must have every phrase" in text_of(answer.text)
    assert site.get(f"{WORDING}?language=klingon!").status_code == 422


def test_every_mail_of_a_newsletter_can_be_looked_at(still_site: Site) -> None:
    for kind in ("digest", "confirmation", "welcome", "preferences", "goodbye", "test"):
        assert still_site.get(f"{LOOK}/mail?kind={kind}&language=de").status_code == 200
    assert still_site.get(f"{LOOK}/mail?kind=alert").status_code == 422
    assert still_site.get(f"{LOOK}/mail?language=klingon!").status_code == 422


def test_who_only_looks_changes_no_look(site: Site) -> None:
    with site.seen_by(Role.VIEWER) as viewer:
        assert viewer.get(LOOK).status_code == viewer.get(WORDING).status_code == 200
        assert viewer.get(f"{LOOK}/mail").status_code == 200
        assert viewer.submit(LOOK).status_code == viewer.submit(f"{LOOK}/reset").status_code == 403
        assert "Take the usual look" not in viewer.get(LOOK).text
