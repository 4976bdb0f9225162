"""A DMARC record as it is written (RFC 9989 §4.7, §4.8), and which of several holds for a domain (§4.10)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from digest.doctor.identity.tags import read_tags, shown

_BEGINS = re.compile(r"\s*v\s*=\s*DMARC1\s*(?:;|$)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_MAILTO = re.compile(r"mailto:([^@\s?]+@[A-Za-z0-9.-]+)(?:\?[!-~]*)?", re.IGNORECASE)
_SIZE = re.compile(r"![0-9]+[kmgt]?$", re.IGNORECASE)

_CHOICES = {
    "psd": ("y", "n", "u"),
    "t": ("y", "n"),
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
    "fo": ("0", "1", "d", "s", "d:s", "s:d"),
}
_GONE = ("pct", "rf", "ri")
"""Tags of RFC 7489 that RFC 9989 has no more; receivers pass over them."""

_LABELS_MAX = 8
"""A name of this many labels or more is cut to one less after the first question (RFC 9989 §4.10)."""


class Policy(StrEnum):
    """What the owner of a domain wants done with mail that is not shown to be theirs."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """A record that begins as DMARC does. What is wrong in it counts for nothing and is in `problems`.

    `policy` is None where receivers pass the whole record over. `subdomains` (sp) and `nonexistent` (np) are
    None where the policy holds for these as well. `psd` is y, n or u. `rua` are the addresses that reports go
    to, encoded as URIs have them. `notes` are no errors.
    """

    text: str
    policy: Policy | None
    subdomains: Policy | None = None
    nonexistent: Policy | None = None
    psd: str = "u"
    is_test: bool = False
    is_strict_dkim: bool = False
    is_strict_spf: bool = False
    rua: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def policy_below(self, *, exists: bool) -> Policy | None:
        """Return what holds for a subdomain without a record of its own; `exists`: whether DNS has it."""
        if exists:
            return self.subdomains or self.policy
        return self.nonexistent or self.subdomains or self.policy


def is_dmarc(text: str) -> bool:
    """Whether a TXT record is one of DMARC, of this version."""
    return _BEGINS.match(text) is not None


def read_dmarc(text: str) -> DmarcRecord:
    """Read a record for which `is_dmarc` holds, however broken the rest of it is."""
    tags = read_tags(text)
    problems = list(tags.problems)
    chosen = {name: _choice(name, tags.values, problems) for name in _CHOICES}
    policies = {name: _policy(name, tags.values, problems) for name in ("p", "sp", "np")}
    rua = _addresses("rua", tags.values, problems)
    _addresses("ruf", tags.values, problems)
    if "p" not in tags.values:
        problems.append("p= is missing")
    if policies["p"] is None or any(
        found is None and name in tags.values for name, found in policies.items()
    ):
        # RFC 9989 §4.10.1: with somebody to report to it counts as none, with nobody it does not count.
        policies = {"p": Policy.NONE if rua else None, "sp": None, "np": None}
    return DmarcRecord(
        text,
        policy=policies["p"],
        subdomains=policies["sp"],
        nonexistent=policies["np"],
        psd=chosen["psd"] or "u",
        is_test=chosen["t"] == "y",
        is_strict_dkim=chosen["adkim"] == "s",
        is_strict_spf=chosen["aspf"] == "s",
        rua=rua,
        problems=tuple(problems),
        notes=tuple(_notes(tags.values)),
    )


def _notes(values: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{name}= is no longer part of DMARC" for name in _GONE if name in values)
    if any(_SIZE.search(uri.strip()) for uri in values.get("rua", "").split(",")):
        yield "a size behind an address of rua= is no longer part of DMARC"


def _choice(name: str, values: Mapping[str, str], problems: list[str]) -> str:
    value = values.get(name, "").lower()
    if name in values and value not in _CHOICES[name]:
        problems.append(f"{name}={shown(values[name])} is not one of {', '.join(_CHOICES[name])}")
        return ""
    return value


def _policy(name: str, values: Mapping[str, str], problems: list[str]) -> Policy | None:
    try:
        return Policy(values[name].lower()) if name in values else None
    except ValueError:
        problems.append(f"{name}={shown(values[name])} is not one of {', '.join(Policy)}")
        return None


def _addresses(name: str, values: Mapping[str, str], problems: list[str]) -> tuple[str, ...]:
    """Return the mail addresses in a list of URIs, as they stand there; what is no URI is a problem."""
    addresses = []
    for uri in filter(None, (part.strip() for part in values.get(name, "").split(","))):
        plain = _SIZE.sub("", uri)
        if mailto := _MAILTO.fullmatch(plain):
            addresses.append(mailto[1])
        elif uri.lower().startswith("mailto:") or not _URI.fullmatch(plain):
            hint = f"; write mailto:{shown(uri)}" if "@" in uri and ":" not in uri else ""
            problems.append(f"{name}: '{shown(uri)}' is no URI that reports can go to{hint}")
    return tuple(addresses)


def repaired(record: DmarcRecord, *, reports_to: str = "") -> str:
    """Return the record as it should be written; `reports_to` gets reports where it names nobody."""
    values = read_tags(record.text).values
    policies = {name: _policy(name, values, []) or "" for name in ("p", "sp", "np")}
    addresses = record.rua or ((_encoded(reports_to),) if reports_to else ())
    failures = _addresses("ruf", values, [])
    tags = {
        "v": "DMARC1",
        **policies,
        "p": policies["p"] or Policy.NONE,
        "rua": ",".join(f"mailto:{address}" for address in addresses),
        "ruf": ",".join(f"mailto:{address}" for address in failures),
        **{name: _choice(name, values, []) for name in _CHOICES},
        "psd": "n" if record.psd == "n" else "",
    }
    return "; ".join(f"{name}={value}" for name, value in tags.items() if value)


def new_record(reports_to: str) -> str:
    """Return a record for a domain that has none: it asks for reports, and for nothing to be refused yet."""
    return f"v=DMARC1; p=none; rua=mailto:{_encoded(reports_to)}"


def _encoded(address: str) -> str:
    """Return an address as a URI holds it: RFC 9989 §4.8 wants commas and exclamation marks encoded."""
    return quote(address, safe="@+")


def names_walked(domain: str) -> tuple[str, ...]:
    """Return the domains whose records are asked for, beginning with `domain`: eight at most (§4.10)."""
    labels = domain.lower().rstrip(".").split(".")
    start = len(labels) - _LABELS_MAX + 1 if len(labels) >= _LABELS_MAX else 1
    return (".".join(labels), *(".".join(labels[at:]) for at in range(start, len(labels))))


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk up from `domain` found: the one record of each domain that has one, by name."""

    domain: str
    records: Mapping[str, DmarcRecord]

    @property
    def organisation(self) -> str:
        """The organisational domain (§4.10.2); the domain itself where no record tells."""
        found = ""
        for name in names_walked(self.domain):
            record = self.records.get(name)
            if record is None:
                continue
            if record.psd == "n" or (record.psd == "y" and name == self.domain):
                return name
            if record.psd == "y":  # a registry's: what it let somebody have is one label below
                return f"{self.domain.removesuffix(f'.{name}').split('.')[-1]}.{name}"
            found = name
        return found or self.domain

    @property
    def source(self) -> str:
        """The domain whose record holds for mail from `domain`; '' where none does."""
        for name in (self.domain, self.organisation):
            if name in self.records:
                return name
        registries = (name for name in names_walked(self.domain) if name in self.records)
        return next((name for name in registries if self.records[name].psd == "y"), "")


def are_aligned(author: Walk, other: Walk, *, is_strict: bool) -> bool:
    """Whether a domain that SPF or DKIM vouches for counts as the author's (§4.4)."""
    if is_strict or author.domain == other.domain:
        return author.domain == other.domain
    return author.organisation == other.organisation
