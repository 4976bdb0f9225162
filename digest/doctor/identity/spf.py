"""An SPF record as it is written (RFC 7208 §4.6, §5, §6): its terms, and what is wrong with them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from digest.deliver.dns import Address
from digest.doctor.identity.tags import shown

LOOKUPS_MAX = 10
"""Questions to DNS that evaluating a record may take, all it includes counted (RFC 7208 §4.6.4)."""
VOIDS_MAX = 2
"""Of these, how many may find nothing."""

ASKING = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
"""The terms that count as a question."""

_TERMS_MAX = 500

_BEGINS = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_TERM = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9_.-]*)(?:([:=])(.*?))?(/\d.*|//\d.*)?", re.DOTALL)
_PREFIXES = re.compile(r"(?:/(\d{1,2}))?(?://(\d{1,3}))?")
_MACRO = re.compile(r"%(?:\{[slodiphcrtv][0-9]*r?[.+,/_=-]*\}|[%_-])", re.IGNORECASE)
_DOMAIN = re.compile(r"[!-$&-~]+\.(?:[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]*)\.?")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Term:
    """One mechanism, or the modifier `redirect`.

    `domain` is what it names, '' for the record's own domain. `network` is what ip4 and ip6 name.
    `prefixes` are the bits of an IPv4 and of an IPv6 address that a and mx compare.
    """

    text: str
    name: str
    qualifier: str = "+"
    domain: str = ""
    network: Network | None = None
    prefixes: tuple[int, int] = (32, 128)

    @property
    def has_macros(self) -> bool:
        """Whether what it names is another for each mail, so that it cannot be looked up beforehand."""
        return "%" in self.domain


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """A record that begins as SPF does. With `problems` receivers take none of it (permerror).

    `terms` are those that are evaluated, in their order: none after `all`, and `redirect` last, if it counts.
    """

    text: str
    terms: tuple[Term, ...]
    problems: tuple[str, ...] = ()

    @property
    def ending(self) -> str:
        """The qualifier of `all`; '' without one."""
        return next((term.qualifier for term in self.terms if term.name == "all"), "")

    @property
    def redirects(self) -> bool:
        """Whether another domain's record says what becomes of addresses that nothing here names."""
        return any(term.name == "redirect" for term in self.terms)


def is_spf(text: str) -> bool:
    """Whether a TXT record is one of SPF, of this version."""
    return _BEGINS.match(text) is not None


def read_spf(text: str) -> SpfRecord:
    """Read a record for which `is_spf` holds, however broken the rest of it is."""
    terms: list[Term] = []
    redirects: list[Term] = []
    problems: list[str] = []
    for word in text.split(" ")[1 : _TERMS_MAX + 1]:
        if not word:
            continue
        try:
            term = _term(word)
        except ValueError as exc:
            problems.append(str(exc))
            continue
        if term is None:
            continue
        (redirects if term.name == "redirect" else terms).append(term)
    if len(redirects) > 1:
        problems.append("redirect= is there twice")
    last = next((at for at, term in enumerate(terms) if term.name == "all"), None)
    evaluated = terms + redirects[:1] if last is None else terms[: last + 1]
    return SpfRecord(text, tuple(evaluated), tuple(problems))


def _term(word: str) -> Term | None:
    """Return a term, None for a modifier that changes no result. Raises `ValueError` in words."""
    found = _TERM.fullmatch(word)
    if not found or not word.isascii():
        raise ValueError(f"'{shown(word)}' is no term of SPF")
    qualifier, name, mark, value, prefixes = found.groups()
    name = name.lower()
    if mark == "=":
        return _modifier(word, qualifier, name, (value or "") + (prefixes or ""))
    if name in ("ip4", "ip6"):
        network = _network(word, name, (value or "") + (prefixes or ""))
        return Term(word, name, qualifier or "+", network=network)
    if name not in ("all", "include", "a", "mx", "ptr", "exists"):
        raise ValueError(f"'{shown(word)}' is no mechanism of SPF{_meant(name)}")
    if prefixes and name not in ("a", "mx"):
        raise ValueError(f"'{shown(word)}': {name} takes no /")
    if name == "all" and mark:
        raise ValueError(f"'{shown(word)}': all takes nothing behind it")
    if (name in ("include", "exists") or mark) and name != "all":
        _require_domain(word, value or "")
    return Term(word, name, qualifier or "+", value or "", prefixes=_prefixes(word, prefixes or ""))


def _modifier(word: str, qualifier: str, name: str, value: str) -> Term | None:
    if qualifier:
        raise ValueError(f"'{shown(word)}': a modifier has no sign before it")
    if name in ("redirect", "exp"):
        _require_domain(word, value)
    return Term(word, name, domain=value) if name == "redirect" else None


def _meant(name: str) -> str:
    meant = {"ip": "ip4 or ip6", "ipv4": "ip4", "ipv6": "ip6", "includes": "include", "domain": "include"}
    return f"; it may be meant for {meant[name]}" if name in meant else ""


def _network(word: str, name: str, value: str) -> Network:
    kind = ipaddress.IPv4Network if name == "ip4" else ipaddress.IPv6Network
    try:
        return kind(value, strict=False)
    except ValueError as exc:
        raise ValueError(f"'{shown(word)}' names no {'IPv4' if name == 'ip4' else 'IPv6'} address") from exc


def _require_domain(word: str, value: str) -> None:
    plain = _MACRO.sub("x", value)
    ends_in_macro = value.endswith("}")
    if "%" in plain or not (ends_in_macro or _DOMAIN.fullmatch(plain)):
        raise ValueError(f"'{shown(word)}' names no domain")


def _prefixes(word: str, text: str) -> tuple[int, int]:
    found = _PREFIXES.fullmatch(text)
    four, six = (int(found[1] or 32), int(found[2] or 128)) if found else (33, 129)
    if four > 32 or six > 128:
        raise ValueError(f"'{shown(word)}': what stands behind / is no length of a prefix")
    return four, six


def with_address(text: str, addresses: Iterable[Address]) -> str:
    """Return a record with `addresses` let pass, before anything is asked for."""
    version, _, rest = text.partition(" ")
    return " ".join(filter(None, (version, *(_ip_term(address) for address in addresses), rest.strip())))


def with_ending(record: SpfRecord, ending: str) -> str:
    """Return the record's text with `ending`, such as ~all, for the one it has, if any."""
    words = [word for word in record.text.split() if not re.fullmatch(r"[+?~-]?all", word, re.IGNORECASE)]
    return " ".join((*words, ending))


def new_record(addresses: Iterable[Address], *hosts: str) -> str:
    """Return a record for a domain that has none: these addresses and hosts may send."""
    terms = (*(_ip_term(address) for address in addresses), *(f"a:{host}" for host in hosts))
    return " ".join(("v=spf1", *terms, "~all"))


def merged(records: Iterable[SpfRecord]) -> str:
    """Return one record for all of several: the terms of each, once, and one ending."""
    words: dict[str, None] = {}
    endings = []
    for record in records:
        endings.append(record.ending)
        words |= dict.fromkeys(term.text for term in record.terms if term.name != "all")
    ending = "-" if all(one == "-" for one in endings) else "~"
    return " ".join(("v=spf1", *words, f"{ending}all"))


def _ip_term(address: Address) -> str:
    return f"ip{address.version}:{address}"
