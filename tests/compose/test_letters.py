"""The mails besides the digest: each whole, in each language, whatever stands in it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from digest.compose.checks import check_page
from digest.compose.letters import (
    OWES,
    alert_page,
    alert_view,
    compile_letter,
    entry_page,
    entry_view,
    letter_page,
    letter_view,
    marked_as_test,
)
from digest.compose.markup import outline
from digest.compose.render import EmailTemplate, render_issue
from digest.compose.templates import MessageTemplate
from digest.domain.errors import Misconfigured
from digest.domain.issues import IssueState
from digest.domain.letters import OF_ACCOUNTS, OF_CHANGES, OF_NEWSLETTERS, LetterKind
from digest.domain.mail import Page, Token, assemble, page_for
from digest.domain.themes import USUAL, Logo, Theme
from tests.compose.test_hostile_text import HOSTILE
from tests.compose.test_themed_mail import THEME
from tests.samples import TEMPLATES, everything, issue_in, page_of
from tests.stored import WEEKLY

KINDS = [kind for kind in OF_NEWSLETTERS if kind is not LetterKind.TEST]
ASKING = (LetterKind.CONFIRMATION, LetterKind.NEW_ADDRESS)
"""Those that may go to somebody who never asked for them."""

LANGUAGES = ("en", "de", "fr", "es", "ar")
LINK, UNSUBSCRIBE, NEVER_AGAIN = (
    "https://news.example.org/preferences/1.2.abc",
    "https://news.example.org/unsubscribe/1.2.d",
    "https://news.example.org/never-again/1.d",
)


@pytest.fixture(scope="module")
def templates() -> dict[LetterKind, MessageTemplate]:
    return {kind: compile_letter(kind, TEMPLATES / kind) for kind in LetterKind}


Templates = dict[LetterKind, MessageTemplate]


def letter(
    templates: Templates,
    kind: LetterKind,
    *,
    email: str = "ada@example.org",
    topics: tuple[str, ...] = ("Climate", "Space"),
    theme: Theme = USUAL,
    **newsletter: str,
) -> Page:
    view = letter_view(
        email,
        LINK,
        topics=topics,
        unsubscribe_url=UNSUBSCRIBE,
        other="reader@new.example.org",
        never_url=NEVER_AGAIN if kind in ASKING else "",
    )
    return letter_page(replace(templates[kind], theme=theme), replace(WEEKLY, **newsletter), view)  # type: ignore[arg-type]


def alert(
    templates: Templates, what: str = "The Weekly: nothing to send", happened: str = "None came."
) -> Page:
    view = alert_view(what, happened, to_do="Look:", commands=["digest source list weekly"])
    return alert_page(templates[LetterKind.ALERT], view)


def trial(
    templates: Templates,
    template: EmailTemplate,
    *,
    language: str = "en",
    state: IssueState = IssueState.DRAFT,
    reader: str = "ada@example.org",
    topics: tuple[str, ...] = (),
    name: str = WEEKLY.name,
) -> Page:
    content = issue_in(language, 3)
    rendered = marked_as_test(
        render_issue(content, template),
        everything(content),
        templates[LetterKind.TEST],
        replace(WEEKLY, language=language, name=name),
        issue=12,
        state=state,
        reader=reader,
        topics=topics,
    )
    return page_of(rendered, everything(content))


def errors(page: Page, kind: LetterKind) -> list[str]:
    return [f"{found.severity}: {found.what}" for found in check_page(page, owes=OWES[kind])]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_passes_every_check(templates: Templates, kind: LetterKind, language: str) -> None:
    for theme in (
        Theme(),
        THEME,
        replace(THEME, logo=Logo("https://example.org/a.png", "The Weekly", 240, True)),
    ):
        page = letter(templates, kind, language=language, theme=theme)
        assert errors(page, kind) == []
        assert 10 <= len(page.subject) <= 78
    words = outline(page.html)
    assert words.named("html")[0].attributes["lang"] == language
    assert words.named("h2")[0].inside.count("div") >= 1


def test_every_language_says_it_in_its_own_words(templates: Templates) -> None:
    for kind in KINDS:
        subjects = {letter(templates, kind, language=language).subject for language in LANGUAGES}
        assert len(subjects) == 4, "Arabic has no words of ours yet, and gets English ones"


@pytest.mark.parametrize("kind", KINDS)
def test_both_forms_of_a_letter_have_the_same_link_and_topics(templates: Templates, kind: LetterKind) -> None:
    page = letter(templates, kind)
    assert LINK in page.text.split()
    assert LINK in [link.attributes["href"] for link in outline(page.html).named("a")]
    told = kind not in (LetterKind.GOODBYE, *OF_CHANGES)
    for topic in ("Climate", "Space"):
        assert (topic in page.text) is (topic in page.html) is told
    assert max(map(len, page.text.splitlines())) <= 72


@pytest.mark.parametrize("kind", OF_ACCOUNTS)
def test_a_letter_to_an_account_passes_every_check_in_each_language(
    templates: Templates, kind: LetterKind
) -> None:
    view = entry_view("ada@example.org", "https://news.example.org/enter/abc", until="1 May, 07:00 UTC")
    pages = [entry_page(templates[kind], view, language) for language in LANGUAGES]
    for page in pages:
        assert errors(page, kind) == []
        assert page.text.split().count("https://news.example.org/enter/abc") == 1
        assert "1 May, 07:00 UTC" in page.html
        assert max(map(len, page.text.splitlines())) <= 72
    assert len({page.subject for page in pages}) == 4
    hostile = entry_view("<b>x</b>\n@example.org", "https://news.example.org/enter/a", until="<i>")
    assert "<b>" not in entry_page(templates[kind], hostile, "en").html


def test_a_welcome_to_nobodys_topics_says_that_nothing_will_come(templates: Templates) -> None:
    page = letter(templates, LetterKind.WELCOME, topics=())
    for body in (page.html, page.text):
        assert "You follow no topic yet" in " ".join(body.split())
        assert "Your topics" not in body


def test_a_letter_never_calls_a_reader_by_a_name_a_stranger_may_have_typed(templates: Templates) -> None:
    assert "name" not in letter_view("a@example.org", LINK).__slots__


SLOTS: dict[str, Callable[[Templates, str], Page]] = {
    "newsletter": lambda templates, text: letter(templates, LetterKind.CONFIRMATION, name=text),
    "sender": lambda templates, text: letter(templates, LetterKind.WELCOME, sender_name=text),
    "postal address": lambda templates, text: letter(templates, LetterKind.PREFERENCES, postal_address=text),
    "address": lambda templates, text: letter(templates, LetterKind.CONFIRMATION, email=text),
    "topic": lambda templates, text: letter(templates, LetterKind.WELCOME, topics=(text, "Space")),
    "alert": lambda templates, text: alert(templates, text, text),
}


def fixed_elements(page: Page) -> Counter[str]:
    return Counter(e.name for e in outline(page.html).elements if e.name not in {"br", "p", "li"})


@pytest.mark.parametrize("slot", SLOTS)
def test_hostile_text_stays_text(slot: str, templates: Templates) -> None:
    harmless = fixed_elements(SLOTS[slot](templates, "Word"))
    for text in HOSTILE:
        page = SLOTS[slot](templates, text)
        found = [finding.what for finding in check_page(page, owes=()) if finding.severity == "error"]
        assert found == [], text
        assert fixed_elements(page) == harmless, text
        both = page.subject + page.html + page.text
        assert not any(ord(char) < 32 and char != "\n" for char in both), text
        assert not any(char in both for char in "\u202e\u2066\ud800\ufffe\ue000"), text
        assert "\n" not in page.subject
        assert "49" not in page.html or "7*7" in page.html


@pytest.mark.parametrize("url", ["javascript:alert(1)", "", "/preferences/1", "https://x y/", "http://a@b/"])
def test_a_link_that_no_mail_can_carry_is_a_wrong_setting(url: str) -> None:
    if url:
        with pytest.raises(Misconfigured, match="public_url"):
            letter_view("a@example.org", url)
        with pytest.raises(Misconfigured, match="public_url"):
            letter_view("a@example.org", LINK, unsubscribe_url=url)
        with pytest.raises(Misconfigured, match="public_url"):
            letter_view("a@example.org", LINK, never_url=url)


def test_an_alert_says_what_happened_what_to_do_and_which_command(templates: Templates) -> None:
    page = alert(templates, happened="It did, in the middle of the night.\nTwice.\n\n\nAnd once more.")
    assert page.subject == "[Digest] The Weekly: nothing to send"
    assert errors(page, LetterKind.ALERT) == []
    assert "It did, in the middle of the night.\nTwice.\n\nAnd once more.\n" in page.text
    assert "What to do\nLook:\n    digest source list weekly\n" in page.text
    found = outline(page.html)
    assert [found.text_of(heading) for heading in found.named("h1", "h2")] == [
        "The Weekly: nothing to send",
        "What to do",
    ]
    assert "What to do" not in alert_page(templates[LetterKind.ALERT], alert_view("a", "b")).text


def test_an_alert_of_a_whole_log_is_cut(templates: Templates) -> None:
    page = alert(templates, happened="\n".join(["x" * 100_000] * 2_000))
    assert len(page.html) < 1_000_000


# --- tests of an issue


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_test_is_the_issue_under_a_strip(
    templates: Templates, template: EmailTemplate, language: str
) -> None:
    content = issue_in(language if language in ("de", "ar") else "en", 3)
    content = replace(content, language=language)
    rendered, edition = render_issue(content, template), everything(content)
    marked = marked_as_test(
        rendered,
        edition,
        templates[LetterKind.TEST],
        replace(WEEKLY, language=language),
        issue=12,
        state=IssueState.DRAFT,
    )
    personal = {token: "https://example.org/" for token in Token if token.value.endswith("url")}
    personal[Token.EMAIL] = "ed@example.org"
    plain, page = (page_for(assemble(one, edition), personal) for one in (rendered, marked))
    assert [finding for finding in check_page(page) if finding.severity == "error"] == []
    strip = outline(page.html).of_class("test")
    assert len(strip) == 1
    before, _, after = page.html.partition('<div class="test"')
    assert "preheader" in before
    assert after.partition("</div>")[2].lstrip() in plain.html
    assert page.text.endswith(plain.text)
    assert page.subject.endswith(plain.subject)
    assert page.subject != plain.subject


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (IssueState.DRAFT, "It is a draft"),
        (IssueState.APPROVED, "It is approved"),
        (IssueState.SENDING, "It is being sent: readers get exactly"),
        (IssueState.PAUSED, "Its sending is paused"),
        (IssueState.SENT, "It was sent: readers got exactly"),
        (IssueState.CANCELLED, "It is cancelled"),
    ],
)
def test_a_strip_says_of_which_issue_and_as_whom_it_is_a_test(
    templates: Templates, template: EmailTemplate, state: IssueState, words: str
) -> None:
    for shown, told in (
        ({"reader": "ada@example.org"}, "as ada@example.org gets it"),
        ({"reader": "", "topics": ("Climate", "Space")}, "who follows Climate, Space"),
        ({"reader": ""}, "who follows every topic"),
    ):
        page = trial(templates, template, state=state, **shown)  # type: ignore[arg-type]
        for body in (page.html, page.text):
            said = " ".join(body.split())
            for part in ("Test of issue 12", words, told, "lead nowhere"):
                assert part in said


def test_a_test_is_addressed_to_whom_it_is_shown_as(templates: Templates, template: EmailTemplate) -> None:
    page = trial(templates, template, reader="<b>@example.org")
    assert "at <b>@example.org because" in " ".join(page.text.split())
    assert "at &lt;b&gt;@example.org because" in " ".join(page.html.split())


def test_hostile_names_stay_text_in_a_strip(templates: Templates, template: EmailTemplate) -> None:
    harmless = fixed_elements(trial(templates, template, topics=("Word",), reader=""))
    for text in HOSTILE:
        page = trial(templates, template, topics=(text,), reader="", name=text)
        assert fixed_elements(page) == harmless, text
        assert [f.what for f in check_page(page) if f.severity == "error"] == [], text


def test_a_template_of_its_own_needs_a_strip(tmp_path: Path) -> None:
    own = tmp_path / "test"
    own.mkdir()
    source = (TEMPLATES / "test" / "body.mjml").read_text()
    (own / "body.mjml").write_text(
        source.replace("block strip", "block stripe").replace("k strip", "k stripe")
    )
    with pytest.raises(Misconfigured, match="no block 'strip'"):
        compile_letter(LetterKind.TEST, own, TEMPLATES / "test")


def test_what_a_letter_may_not_say_is_named_with_its_line(tmp_path: Path) -> None:
    own = tmp_path / "welcome"
    own.mkdir()
    (own / "body.txt").write_text("\n{{ letter.name }}\n")
    with pytest.raises(Misconfigured, match=r"welcome/body\.txt line 2: .*name"):
        compile_letter(LetterKind.WELCOME, own, TEMPLATES / "welcome")


@pytest.mark.parametrize("name", ["body.txt", "subject.txt"])
@pytest.mark.parametrize("text", ["", " \n{# what we said #}\n\n"])
@pytest.mark.parametrize("kind", list(LetterKind))
def test_a_letter_that_says_nothing_is_an_error(
    tmp_path: Path, kind: LetterKind, name: str, text: str
) -> None:
    own = tmp_path / kind
    own.mkdir()
    (own / name).write_text(text)
    with pytest.raises(Misconfigured, match=rf"{own / name}: it says nothing"):
        compile_letter(kind, own, TEMPLATES / kind)


def test_so_is_one_that_says_nothing_to_some_only(tmp_path: Path) -> None:
    own = tmp_path / "welcome"
    own.mkdir()
    (own / "body.txt").write_text("{% for topic in letter.topics %}{{ topic }}{% endfor %}")
    template = {LetterKind.WELCOME: compile_letter(LetterKind.WELCOME, own, TEMPLATES / "welcome")}
    assert letter(template, LetterKind.WELCOME).text == "ClimateSpace"
    with pytest.raises(Misconfigured, match="it says nothing"):
        letter(template, LetterKind.WELCOME, topics=())
