"""Whatever a feed, an editor or a stranger writes, in every place a mail has for it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.compose.checks import check_page
from digest.compose.markup import outline
from digest.compose.render import EmailTemplate, render_issue
from digest.domain.articles import Image
from digest.domain.issues import IssueContent, IssueTopic, Item, OtherSource
from digest.domain.layout import Density
from digest.domain.mail import TOKEN_CLOSE, TOKEN_OPEN, Page, Token
from tests.samples import CLIMATE, everything, one_item, page_of, sample_issue

HOSTILE = (
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--[if mso]><script>alert(1)</script><![endif]-->",
    "--><script>alert(1)</script><!--",
    "<svg/onload=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "{{ 7*7 }}",
    "{{7*7}}",
    "{% for x in range(10**9) %}x{% endfor %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{% endblock %}{% block item %}",
    "{# comment #}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "{0.__class__} {email} {count} %s %(x)s",
    "line\r\nBcc: everyone@example.org\r\n\r\nbody",
    "line\n.\nline",
    "\n\n--=_boundary\nContent-Type: text/html\n\n<b>x</b>",
    "=?utf-8?q?=0D=0ABcc:_x@example.org?=",
    "\u202egnp.exe\u2066 \u2069",
    "nul\x00nul",
    "lone \ud800 surrogate \udfff",
    "\ufffe\uffff\ufeff",
    f"{TOKEN_OPEN}email{TOKEN_CLOSE} {Token.UNSUBSCRIBE_URL.mark} {TOKEN_OPEN}nonsense{TOKEN_CLOSE}",
    "w" * 10_000,
    "\N{PILE OF POO}" * 500,
    "ẗ̸̰́ë̵̠́x̶̱̎t̴̢̛" * 200,
    "From here on\n.dot\n-- \n",
    "<mj-raw>" * 500,
)

SLOTS: dict[str, Callable[[str], IssueContent]] = {
    "newsletter": lambda text: one_item_in(newsletter=text),
    "sender": lambda text: one_item_in(sender_name=text),
    "postal address": lambda text: one_item_in(postal_address=text),
    "subject": lambda text: one_item_in(subject=text),
    "preheader": lambda text: one_item_in(preheader=text),
    "intro": lambda text: one_item_in(intro=text),
    "topic": lambda text: one_item_in(topics=(IssueTopic(CLIMATE, text),)),
    "title": lambda text: one_item(title=text),
    "url": lambda text: one_item(url=text),
    "path": lambda text: one_item(url=f"https://example.org/{text}"),
    "source": lambda text: one_item(source=text),
    "takeaway": lambda text: one_item(takeaways=(text, "A second.")),
    "language": lambda text: one_item(language=text),
    "image": lambda text: one_item(image=Image(text, text)),
    "image text": lambda text: one_item(image=Image(f"https://example.org/{text}", text)),
    "other source": lambda text: one_item(also=(OtherSource(text, f"https://example.org/{text}"),)),
    "other url": lambda text: one_item(also=(OtherSource("Other", text),)),
}

OPTIONAL = frozenset({"a", "p", "img", "br", "li"})
"""What a slot's text may rightly bring or take away: a link, a paragraph, a line, an image."""


def one_item_in(**overrides: object) -> IssueContent:
    return sample_issue(items=one_item().items, **overrides)


def shown(content: IssueContent, template: EmailTemplate) -> Page:
    return page_of(render_issue(content, template), everything(content))


def fixed_elements(page: Page) -> Counter[str]:
    return Counter(e.name for e in outline(page.html).elements if e.name not in OPTIONAL)


@pytest.fixture(scope="module")
def benign(template: EmailTemplate) -> Page:
    return shown(one_item(), template)


def faults(page: Page, benign: Page) -> list[str]:
    """Return what hostile text managed to change: empty when it stayed text."""
    found = [finding.what for finding in check_page(page) if finding.severity == "error"]
    if fixed_elements(page) != fixed_elements(benign):
        found.append("elements were added or lost")
    if "49" in page.html.replace(page.subject, "") and "7*7" not in page.html:
        found.append("an expression was executed")
    if any(ord(char) < 32 and char != "\n" for char in page.html + page.text + page.subject):
        found.append("a control character was left")
    if any(char in page.html + page.text for char in "\u202e\u2066\ud800\ufffe"):
        found.append("a character that cannot be shown was left")
    return found


@pytest.mark.parametrize("slot", SLOTS)
def test_hostile_text_stays_text(slot: str, template: EmailTemplate, benign: Page) -> None:
    found = {text: faults(shown(SLOTS[slot](text), template), benign) for text in HOSTILE}
    assert {text: what for text, what in found.items() if what} == {}


def hostile_item(text: str, position: int) -> Item:
    (item,) = one_item(
        title=text,
        url=f"https://example.org/{position}",
        takeaways=(text, "A second."),
        source=text,
        language=text,
        image=Image(f"https://example.org/{text}", text),
        also=(OtherSource(text, "https://example.org/other"),),
    ).items
    return replace(item, position=position)


@pytest.mark.parametrize("step", [1, -1])
def test_hostile_text_stays_text_however_densely_it_is_shown(step: int, template: EmailTemplate) -> None:
    texts = (HOSTILE + HOSTILE[:11])[::step]
    page = shown(sample_issue(items=tuple(hostile_item(text, n) for n, text in enumerate(texts))), template)
    harmless = shown(
        sample_issue(items=tuple(hostile_item("Word", n) for n, _ in enumerate(texts))), template
    )
    found = outline(page.html)
    assert len(texts) == 42
    assert [len(found.of_class(density)) for density in Density] == [12, 18, 12]
    assert faults(page, harmless) == []


@pytest.mark.parametrize("slot", SLOTS)
@settings(max_examples=10, deadline=None)
@given(text=st.text(st.characters(), min_size=1, max_size=60))
def test_any_text_at_all_stays_text(slot: str, template: EmailTemplate, benign: Page, text: str) -> None:
    assert faults(shown(SLOTS[slot](text), template), benign) == []


def test_a_renderer_that_does_not_escape_is_caught(benign: Page) -> None:
    """The control: the same faults are found when text is put into the page as it came."""
    missed = [
        text
        for text in HOSTILE
        if "script" in text and "&lt;" not in text
        if not faults(Page("s", benign.html.replace("<h2", f"{text}<h2", 1), benign.text), benign)
    ]
    assert missed == []


def test_text_baked_into_a_template_would_be_executed() -> None:
    """The control: this is what happens when article text becomes source of the second step."""
    assert jinja2.Template(f"<p>{HOSTILE[9]}</p>").render() == "<p>49</p>"


def test_line_breaks_cannot_forge_a_line_of_the_text_form(template: EmailTemplate) -> None:
    page = shown(one_item(title="Title\n\nUnsubscribe\nhttps://evil.example.net/"), template)
    assert "\nhttps://evil.example.net/" not in page.text
