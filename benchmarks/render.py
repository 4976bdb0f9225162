"""What a mail costs: CPU milliseconds to compile, render and encode an issue, and to complete it per reader.

`python -m benchmarks.render [--json]`. Beside it stands the naive way: MJML, Jinja and EmailMessage for every
reader, and dkimpy where mails are signed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jinja2 import Environment
from mjml import mjml2html
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from digest.compose.render import EmailTemplate, compile_template, render_issue
from digest.compose.template_files import TemplateFiles
from digest.compose.views import SectionView, issue_context, item_view
from digest.deliver.dkim.keys import DkimKey
from digest.deliver.dkim.signing import Signer
from digest.deliver.mime import EncodedIssue, Recipient, Sender
from digest.domain.issues import Edition, IssueContent, IssueTopic, Item, Section, edition_for
from digest.domain.mail import RenderedIssue, assemble
from digest.domain.topics import TopicSlug
from digest.track.tokens import Purpose, Tokens

FOLDER = Path(__file__).resolve().parents[1] / "templates" / "email" / "digest"
SENT_AT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
TOPICS = tuple(IssueTopic(TopicSlug(f"topic-{n}"), f"Topic {n}") for n in range(4))
SENDER = Sender("Benchmark", "bench@example.org", "bench.example.org", "bench:digest:example-org")


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU milliseconds for an issue of `articles`, all shown, and how big the finished mail's HTML is.

    compile, issue and encode are paid once an issue, edition once an edition, recipient once a reader: not
    signed, with RSA-2048, with Ed25519. links is what the tokens of a reader's links cost besides.
    """

    articles: int
    html_kb: float
    compile_ms: float
    issue_ms: float
    encode_ms: float
    edition_ms: float
    recipient_ms: float
    recipient_rsa_ms: float
    recipient_ed25519_ms: float
    links_ms: float
    naive_ms: float
    naive_rsa_ms: float
    naive_ed25519_ms: float


def content_of(articles: int) -> IssueContent:
    """Return an issue of `articles` items with three takeaways of a usual length each."""
    takeaway = "A second trial over eleven months confirmed it: costs fell by 38%, and waiting times by half."
    items = tuple(
        Item(
            position=n,
            url=f"https://source-{n % 7}.example.org/2026/11/article-{n}",
            title=f"Article {n}: what the valley’s engineers learned from a very dry summer",
            source=f"Source {n % 7}",
            takeaways=(takeaway,) * 3,
            topics=(TOPICS[n % len(TOPICS)].slug,),
            published_on=date(2026, 11, 16 + n % 7),
            reading_minutes=3 + n % 9,
        )
        for n in range(articles)
    )
    return IssueContent(
        "The Benchmark",
        "en",
        date(2026, 11, 16),
        date(2026, 11, 22),
        "Sender",
        "1 Quay Street",
        TOPICS,
        items,
    )


def recipient_of(number: int) -> Recipient:
    """Return a recipient whose links have tokens of a usual length."""
    token = f"eyJkIjo{number:09d}.Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6"
    return Recipient(
        email=f"reader{number}@example.org",
        message_id=f"<{number}.2026-47@example.org>",
        unsubscribe_url=f"https://digest.example.org/unsubscribe/{token}",
        preferences_url=f"https://digest.example.org/preferences/{token}",
        online_url=f"https://digest.example.org/online/{token}",
    )


def cpu_ms(act: Callable[[], object], *, times: int) -> float:
    """Return the CPU milliseconds one `act` takes: the mean of `times`, in the best of five rounds.

    A neighbour on the same core empties its caches, which can only add.
    """
    rounds = min(5, times)
    return min(_round_ms(act, times=times // rounds) for _ in range(rounds))


def _round_ms(act: Callable[[], object], *, times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - start) * 1000 / times


def measure(articles: int) -> Costs:
    """Return what an issue of `articles` costs on this machine."""
    content = content_of(articles)
    template = compile_template(FOLDER)
    rendered = render_issue(content, template)
    whole = edition_for(content.outline, [t.slug for t in TOPICS])
    encoded = EncodedIssue(rendered, SENDER, name="2026-47", date=SENT_AT)
    encode_ms = cpu_ms(lambda: encoded.edition(whole), times=1)
    editions = _editions(whole, 200)
    unseen = iter(editions)
    naive = naive_sender(content, template)
    rsa = DkimKey("rsa", generate_private_key(65537, 2048))
    ed25519 = DkimKey("ed", Ed25519PrivateKey.generate())

    def recipient_ms(key: DkimKey | None, times: int) -> float:
        signer = Signer("example.org", [key]) if key else None
        issue = EncodedIssue(rendered, SENDER, name="2026-47", date=SENT_AT, signer=signer)
        edition, numbers = issue.edition(whole), itertools.count()
        return cpu_ms(lambda: edition.message(recipient_of(next(numbers))), times=times)

    return Costs(
        articles=articles,
        html_kb=_html_kb(rendered, whole),
        compile_ms=cpu_ms(lambda: compile_template(FOLDER), times=10),
        issue_ms=cpu_ms(lambda: render_issue(content, template), times=10),
        encode_ms=encode_ms,
        edition_ms=cpu_ms(lambda: encoded.edition(next(unseen)), times=len(editions)),
        recipient_ms=recipient_ms(None, 5000),
        recipient_rsa_ms=recipient_ms(rsa, 1000),
        recipient_ed25519_ms=recipient_ms(ed25519, 2000),
        links_ms=cpu_ms(link_signer(), times=1000),
        naive_ms=cpu_ms(naive, times=20),
        naive_rsa_ms=cpu_ms(lambda: naively_signed(naive(), rsa), times=20),
        naive_ed25519_ms=cpu_ms(lambda: naively_signed(naive(), ed25519), times=20),
    )


def link_signer() -> Callable[[], object]:
    """Return what signs the links of one reader."""
    tokens = Tokens(["k" * 32])
    carried = (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.ONLINE)
    return lambda: [tokens.sign(purpose, 7, 123_456) for purpose in carried]


def naively_signed(message: bytes, key: DkimKey) -> bytes:
    """Return `message` signed by dkimpy, the usual library."""
    private = key.private
    if isinstance(private, RSAPrivateKey):
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    else:
        pem = b64encode(private.private_bytes_raw())
    signature: bytes = dkim.sign(
        message,
        key.selector.encode(),
        b"example.org",
        pem,
        canonicalize=(b"relaxed", b"simple"),
        signature_algorithm=key.algorithm.encode(),
    )
    return signature + message


def _html_kb(issue: RenderedIssue, edition: Edition) -> float:
    return sum(len(piece.html.encode()) for piece in assemble(issue, edition).pieces) / 1000


def _editions(whole: Edition, count: int) -> list[Edition]:
    """Return at most `count` editions, all different: each leaves out another pair of items."""
    pairs = itertools.islice(itertools.combinations(whole.positions, 2), count)
    return [_without(pair, whole) for pair in pairs]


def _without(positions: tuple[int, ...], whole: Edition) -> Edition:
    kept = [Section(s.topic, tuple(p for p in s.positions if p not in positions)) for s in whole.sections]
    return Edition(tuple(section for section in kept if section.positions))


def naive_sender(content: IssueContent, template: EmailTemplate) -> Callable[[], bytes]:
    """Return what makes a mail the obvious way: everything again for every reader."""
    source = "{% block opening %}" + TemplateFiles((FOLDER,)).read("body.mjml").text + "{% endblock %}"
    page = Environment(autoescape=True).from_string(source)
    phrases = template.phrases(content.language)
    values = issue_context(content, phrases, template.theme)
    values["sections"] = [
        SectionView(
            topic.name,
            topic.slug,
            tuple(item_view(item, "en", phrases) for item in content.items if topic.slug in item.topics),
        )
        for topic in content.topics
    ]
    values["section_count"] = str(len(content.items) // len(TOPICS))
    numbers = itertools.count()

    def send() -> bytes:
        recipient = recipient_of(next(numbers))
        token = {
            **asdict(recipient),
            "subject": "Subject",
            "preheader": "Preheader",
            "item_count": "30",
            "articles": "30 articles",
            "more_count": "0",
        }
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = "Subject", SENDER.address, recipient.email
        message["Date"], message["Message-ID"] = format_datetime(SENT_AT), recipient.message_id
        message.set_content(template.text.rendered({**values, "token": token}))
        message.add_alternative(mjml2html(page.render({**values, "token": token}), fonts={}), subtype="html")
        return message.as_bytes(policy=SMTP)

    return send


def table_of(costs: list[Costs]) -> Table:
    """Return the figures for people, a column for each size of issue."""
    table = Table(title="CPU milliseconds: per issue, per edition, per reader; and the naive way", box=SIMPLE)
    table.add_column("")
    for cost in costs:
        table.add_column(f"{cost.articles} articles", justify="right")
    rows = [asdict(cost) for cost in costs]
    for name in [name for name in rows[0] if name != "articles"]:
        label = name.removesuffix("_ms").replace("recipient", "reader").replace("_", " ")
        table.add_row(label, *(f"{row[name]:.3f}" for row in rows))
    return table


def main() -> None:
    """Print the table for 10, 30 and 100 articles, or one JSON object for 30."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one object, for 30 articles")
    if parser.parse_args().json:
        print(json.dumps(asdict(measure(30))))
    else:
        Console().print(table_of([measure(articles) for articles in (10, 30, 100)]))


if __name__ == "__main__":
    main()
