"""The preview over HTTP: every form of a mail, as whom, and the reason for each article."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from digest.compose.checks import check_page
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.pipeline.preview import page_for_reader
from digest.store.database import writing
from digest.store.issues import write_texts
from digest.store.newsletters import add_topic, get_newsletter
from digest.store.subscribers import subscribe
from digest.track.tokens import Purpose
from tests.samples import CLIMATE, FOOD, SPACE
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import ADA, BEN, CLEO, DRAFT, EVE, FAY, NOW, SENDING, TOPICS, set_state

PAGE = f"/issues/{SENDING}/preview"
TOKEN = re.compile(r"/(unsubscribe|preferences|online)/[\w.-]+")


def without_tokens(mail: str) -> str:
    return TOKEN.sub(r"/\1/TOKEN", mail)


def frame_of(page: str) -> str:
    found = re.search(r'<iframe [^>]*src="([^"]+)"', page)
    assert found, "the page frames a mail"
    return found[1].replace("&amp;", "&")


# --- the mail


@pytest.mark.parametrize("issue", [SENDING, DRAFT])
def test_the_mail_is_what_the_pipeline_makes(issue: int, still_site: Site) -> None:
    everything = still_site.get(f"/issues/{issue}/preview/mail").text
    some = still_site.get(f"/issues/{issue}/preview/mail?topic=space&topic=food").text
    assert everything == page_for_reader(still_site.runtime, issue).html
    assert some == page_for_reader(still_site.runtime, issue, topics=[SPACE, FOOD]).html
    assert everything != some


def test_a_subscribers_mail_is_the_edition_they_were_sent_and_its_links_are_nobodys(still_site: Site) -> None:
    shown = still_site.get(f"{PAGE}/mail?as={BEN}").text
    sent = page_for_reader(still_site.runtime, SENDING, email=BEN).html
    assert without_tokens(shown) == without_tokens(sent)
    assert BEN in shown
    assert "The lander that fell over" in shown
    assert "Kelp" not in shown
    theirs = still_site.link(Purpose.UNSUBSCRIBE, BEN)
    assert (theirs in sent, theirs in shown) == (True, False)
    for token in TOKEN.finditer(shown):
        assert still_site.get(token[0]).status_code == 404, "whoever previews a reader cannot act as them"


def test_the_frame_shows_what_was_chosen(still_site: Site) -> None:
    page = still_site.get(f"{PAGE}?topic=space&topic=food&colours=dark&images=off&width=phone").text
    assert frame_of(page) == f"{PAGE}/mail?topic=space&topic=food&colours=dark&images=off"
    assert 'sandbox=""' in page
    assert '<iframe class="phone"' in page
    assert re.findall(r'value="(\w+)" checked', page) == ["space", "food"]
    assert "As a new reader of Space and Food gets it" in text_of(page)


def test_every_way_to_look_keeps_the_reader_and_the_others(still_site: Site) -> None:
    page = still_site.get(f"{PAGE}?as={ADA}&colours=dark").text.partition('class="looks"')[2]
    links = re.findall(r'<li><a href="([^"]+)"[^>]*>([^<]+)</a></li>', page)
    found = {words: link.replace("&amp;", "&") for link, words in links}
    assert found["Phone"] == f"{PAGE}?as=ada%40example.org&width=phone&colours=dark#mail"
    assert found["Light"] == f"{PAGE}?as=ada%40example.org#mail"
    assert [words for words in found if f'aria-current="true">{words}<' in page] == [
        "Mail",
        "Desktop",
        "Dark",
        "With images",
    ]
    for link in found.values():
        assert still_site.get(link).status_code == 200


def test_without_images_the_browser_is_told_to_load_none(still_site: Site) -> None:
    shown, bare = (still_site.get(f"{PAGE}/mail?images={images}") for images in ("on", "off"))
    assert shown.text == bare.text
    assert "img-src https:;" in shown.headers["content-security-policy"]
    assert "img-src 'none';" in bare.headers["content-security-policy"]
    for answer in (shown, bare):
        assert answer.headers["content-security-policy"].endswith("; sandbox")


def test_the_plain_text_stands_on_the_page(still_site: Site) -> None:
    told = read(still_site, f"{PAGE}?as={ADA}&part=text")
    mail = page_for_reader(still_site.runtime, SENDING, email=ADA)
    assert without_tokens(" ".join(mail.text.split())) in without_tokens(told)
    assert mail.subject in told


def test_the_source_is_a_message_that_can_be_saved(still_site: Site) -> None:
    told = read(still_site, f"{PAGE}?as={ADA}&part=source")
    saved = still_site.get(f"{PAGE}/source?as={ADA}")
    assert saved.headers["content-type"] == "message/rfc822"
    assert saved.headers["content-disposition"] == 'attachment; filename="issue-1-preview.eml"'
    message = message_from_bytes(saved.content, policy=default)
    assert message["To"] == ADA
    assert message["Subject"] in told
    body = message.get_body(("html",))
    assert body is not None
    shown = still_site.get(f"{PAGE}/mail?as={ADA}").text
    assert body.get_content().replace("\r\n", "\n").rstrip() == shown.rstrip()


def test_the_size_is_told_of_what_mail_programs_show(still_site: Site) -> None:
    page = still_site.get(f"{PAGE}?as={ADA}").text
    kilobytes = len(still_site.get(f"{PAGE}/mail?as={ADA}").text.encode()) / 1000
    assert f'value="{kilobytes:.1f}"' in page
    assert f"{kilobytes:.0f} KB of the 100 KB that mail programs show" in text_of(page)


# --- what is wrong with it


def test_a_mail_without_a_fault_is_called_so(open_site: Callable[..., Site], filled_database: Path) -> None:
    site = open_site(filled_database, public_url="https://digest.test/letters")
    assert "No check finds a fault in this mail." in read(site, f"{PAGE}?as={ADA}")


def test_what_the_checks_find_in_it_stands_beside_it(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        write_texts(session, DRAFT, subject="", preheader="", intro="unfinished: {{ who }}")
    page = page_for_reader(site.runtime, DRAFT)
    found = check_page(page, public_url=site.runtime.settings.public_url)
    told = read(site, f"/issues/{DRAFT}/preview")
    assert found
    assert all(" ".join(one.what.split()) in told for one in found)


# --- the reasons


def test_every_article_has_its_reason(still_site: Site) -> None:
    told = read(still_site, f"{PAGE}?as={BEN}")
    assert "3 of 12 articles, and why" in told
    assert "In The lander that fell over is still the best seismometer on the Moon follows Space" in told
    assert "Out Kelp, forty ways: a cook’s notes from a winter on the coast is about Food" in told


def test_a_mix_of_topics_has_its_reasons_too(still_site: Site) -> None:
    told = read(still_site, f"{PAGE}?topic=food")
    assert "4 of 12 articles, and why" in told
    assert "Out The lander that fell over is still the best seismometer on the Moon is about Space" in told
    assert "12 of 12 articles, and why" in read(still_site, PAGE)


def test_whether_they_get_it_at_all_depends_on_when_they_subscribed(site: Site) -> None:
    new = "new@example.org"
    with writing(site.runtime.engine) as session:
        newsletter = get_newsletter(session, "saturday")
        subscribe(session, newsletter.id, email=new, follows=[CLIMATE, SPACE], now=NOW)
    assert f"{new} would get this issue." in read(site, f"/issues/{DRAFT}/preview?as={new}")
    assert f"{new} gets nothing of this issue: subscribed after its audience was fixed." in read(
        site, f"{PAGE}?as={new}"
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("topic=oceans", "No article of this issue belongs to these topics"),
        ("topic=gardening", "no topic 'gardening'; there is: climate"),
        (f"as={CLEO}", f"{CLEO} was sent nothing of this issue: no article in the topics they follow"),
        (f"as={CLEO}", "No article of this issue belongs to the topics they follow"),
        (f"as={EVE}", f"{EVE} was sent nothing of this issue: paused their subscription"),
        (f"as={FAY}", f"{FAY} was sent nothing of this issue: address is suppressed"),
        (f"as={ADA}", f"{ADA} gets this issue: waiting to be sent"),
        ("as=nobody@example.org", "'nobody@example.org' is not a subscriber"),
        ("as=nobody", "'nobody' is not an e-mail address"),
        ("as=%00@example.org", "is not an e-mail address"),
    ],
)
def test_a_reader_who_gets_nothing_is_told_in_words(query: str, words: str, still_site: Site) -> None:
    assert words in read(still_site, f"{PAGE}?{query}")


def test_the_articles_that_a_reader_does_not_get_are_listed_where_there_is_no_mail(still_site: Site) -> None:
    page = still_site.get(f"{PAGE}?as={CLEO}").text
    assert "<iframe" not in page
    assert "0 of 12 articles, and why" in text_of(page)


def test_a_drafts_preview_says_when_its_reader_left(site: Site) -> None:
    set_state(site.runtime.engine, BEN, SubscriptionState.UNSUBSCRIBED)
    told = read(site, f"/issues/{DRAFT}/preview?as={BEN}")
    assert f"{BEN} gets nothing of this issue: subscription is unsubscribed." in told


# --- what cannot be shown


@pytest.mark.parametrize("form", ["mail", "source"])
def test_a_preview_of_nothing_is_an_error_page_and_no_mail(form: str, still_site: Site) -> None:
    response = still_site.get(f"{PAGE}/{form}?topic=oceans")
    assert response.status_code == 409
    assert "gets nothing of issue 1" in response.text


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("part=fax", 422, "part: input should be"),
        ("colours=red", 422, "colours: input should be"),
        (f"as={ADA}&topic=space", 422, "as and topic exclude each other"),
    ],
)
def test_what_was_asked_for_wrongly_is_told(query: str, status: int, words: str, still_site: Site) -> None:
    response = still_site.get(f"{PAGE}?{query}")
    assert response.status_code == status
    assert words in text_of(response.text)


def test_many_topics_are_no_trouble(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        newsletter = get_newsletter(session, "saturday")
        for number in range(60 - len(TOPICS)):
            add_topic(session, newsletter.id, replace(TOPICS[0], slug=f"topic-{number}"))  # type: ignore[arg-type]
    assert site.get(PAGE).text.count('type="checkbox"') == 60


def test_a_mail_of_text_alone_is_shown_as_that_without_a_frame(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        subscribe(
            session, NewsletterId(1), email="tex@example.org", follows=[CLIMATE], now=NOW, text_only=True
        )
    path = f"/issues/{DRAFT}/preview?as=tex@example.org"
    page = site.get(path).text
    assert "<iframe" not in page
    assert "They want text alone: this is the whole mail, and it has no HTML." in text_of(page)
    assert 'aria-label="Plain text"' in page
    assert "Open the mail by itself" not in page
    frame_of(site.get(f"/issues/{DRAFT}/preview?as={ADA}").text)
