"""Which domains are one receiver: those whose mail one operator takes in.

What a receiver thinks of us it thinks for all its domains together, so caps are on groups and not on
domains. `groups.toml` names the large operators.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable
from functools import cache
from importlib import resources

from sqlalchemy.orm import Session

from digest.domain.errors import InvalidInput
from digest.store.mail_domains import groups_of

_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{1,62}")
_BELOW_COUNTRY = frozenset(
    ["ac", "co", "com", "edu", "gob", "gov", "gouv", "go", "ne", "net", "nom", "or", "org", "sch"]
)
"""Labels below which registries let others have domains, where they stand above a country's two letters."""

_KNOWN_MAX = 20_000
"""Domains that are remembered at once: some megabytes."""


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(resources.files(__package__).joinpath("groups.toml").read_text("utf-8"))


@cache
def _own_domains() -> dict[str, str]:
    return {domain: name for name, facts in _table().items() for domain in facts["domains"]}


def operators() -> tuple[str, ...]:
    """Return the names of the operators that are known."""
    return tuple(_table())


def own_domains(group: str) -> frozenset[str]:
    """Return the domains that are in a group without DNS having said so."""
    known = _table().get(group)
    return frozenset(known["domains"]) if known else frozenset({group})


def group_of_servers(domain: str, servers: Iterable[tuple[int, str]]) -> str:
    """Return the group of a domain by its MX records, as (preference, host); itself where it has none.

    The one of the lowest preference tells (RFC 5321 §5.1). Of several the first by name, so that two who
    look get the same.
    """
    hosts = [host.lower().rstrip(".") for _, host in sorted(servers, key=lambda mx: (mx[0], mx[1].lower()))]
    host = next(iter(hosts), "")
    for name, facts in _table().items():
        if any(host == end or host.endswith(f".{end}") for end in facts["mx"]):
            return name
    return registered_domain(host) or domain


def registered_domain(host: str) -> str:
    """Return what of a host's name was registered, as far as the name alone tells; '' for a bare label.

    The last two labels, or three below such as `co.uk`. Where that is wrong a few operators share a group,
    which slows them down together and does nothing else.
    """
    labels = host.split(".")
    if len(labels) < 2 or not all(labels):
        return ""
    is_below = len(labels[-1]) == 2 and labels[-2] in _BELOW_COUNTRY
    return ".".join(labels[-3 if is_below else -2 :])


def require_group(name: str) -> str:
    """Return the name of a group as it is kept. Raises `InvalidInput` for what can be none."""
    name = name.strip().lower()
    if name in _table():
        return name
    if name in _own_domains():
        raise InvalidInput(f"'{name}' is mailed together with others as '{_own_domains()[name]}': name that")
    if _DOMAIN.fullmatch(name) and len(name) <= 255:
        return name
    close = difflib.get_close_matches(name, operators(), n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"name one of {', '.join(operators())} or a domain"
    raise InvalidInput(f"'{name}' is no group of receivers: {hint}")


class Groups:
    """The groups of readers' domains, each asked of the database once. A domain not known is its own."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, session: Session, domains: Collection[str]) -> dict[str, str]:
        """Return the group of each of these domains."""
        asked = set(domains) - self._known.keys() - _own_domains().keys()
        if len(self._known) > _KNOWN_MAX:
            self._known.clear()
            asked = set(domains) - _own_domains().keys()
        found = groups_of(session, asked)
        self._known |= {domain: found.get(domain, domain) for domain in asked}
        return {domain: _own_domains().get(domain) or self._known[domain] for domain in domains}


def domain_of(email: str) -> str:
    """Return the domain of a reader's address, as groups know it."""
    return email.rpartition("@")[2].lower()
