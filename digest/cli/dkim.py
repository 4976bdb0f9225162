"""DKIM: what the DNS of a sender's domain must say."""

from __future__ import annotations

from dataclasses import dataclass

from digest.cli.lazy import examples, new_app
from digest.cli.output import JsonOption, say, show_json, warn
from digest.domain.errors import Misconfigured
from digest.runtime import open_runtime
from digest.store.database import reading
from digest.store.newsletters import list_newsletters

app = new_app()

_STRING = 255
"""Characters of one string of a TXT record (RFC 1035 §3.3); a longer record has several."""


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A TXT record to publish, whole."""

    name: str
    kind: str
    text: str


@app.command(epilog=examples("digest dkim", "digest dkim --json"))
def dkim(as_json: JsonOption = False) -> None:
    """Print the DNS records that vouch for our signatures, as a zone file has them."""
    runtime = open_runtime()
    if not runtime.dkim_keys:
        raise Misconfigured(
            "dkim_keys is not set, so mails are signed by the mail server or not at all. To sign here: "
            "'openssl genrsa -out 2026a.pem 2048', then dkim_keys = [\"2026a=2026a.pem\"]"
        )
    with reading(runtime.engine) as session:
        senders = [newsletter.sender_email for newsletter in list_newsletters(session)]
    domains = sorted({runtime.dkim_domain(sender) for sender in senders})
    keys = runtime.dkim_keys
    records = [DnsRecord(key.name_at(domain), key.kind, key.record) for domain in domains for key in keys]
    if as_json:
        show_json(records)
        return
    for record in records:
        say(f"{record.name}. IN TXT {_strings(record.text)}")
    if not records:
        say("There is no newsletter yet whose domain could sign: 'digest newsletter add'.")
    for sender in senders:
        domain = runtime.dkim_domain(sender)
        if not f".{sender.rpartition('@')[2].lower()}".endswith(f".{domain}"):
            warn(f"{sender} is not of {domain}: receivers that go by DMARC count its mail as unsigned.")


def _strings(text: str) -> str:
    parts = [f'"{text[at : at + _STRING]}"' for at in range(0, len(text), _STRING)]
    return parts[0] if len(parts) == 1 else f"( {' '.join(parts)} )"
