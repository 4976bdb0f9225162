"""What may be wrong with an address that is well formed: a slip of the keyboard, or one that soon ends.

A hint refuses nothing: it is asked about once, and whoever says so again is believed.
"""

from __future__ import annotations

from dataclasses import dataclass

LARGE = (
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "hotmail.fr",
    "hotmail.co.uk",
    "outlook.com",
    "live.com",
    "msn.com",
    "yahoo.com",
    "yahoo.fr",
    "yahoo.es",
    "yahoo.de",
    "yahoo.co.uk",
    "icloud.com",
    "me.com",
    "aol.com",
    "proton.me",
    "protonmail.com",
    "gmx.de",
    "gmx.net",
    "gmx.com",
    "web.de",
    "t-online.de",
    "freenet.de",
    "orange.fr",
    "free.fr",
    "laposte.net",
    "wanadoo.fr",
    "sfr.fr",
    "telefonica.net",
    "fastmail.com",
    "zoho.com",
    "mail.com",
    "mail.ru",
    "yandex.com",
    "yandex.ru",
    "libero.it",
)
"""Domains that many have their mail at, so that a domain one slip away from them is most likely a slip."""

_ALSO_REAL = frozenset(
    {"gmx.ch", "gmx.at", "gmx.fr", "gmx.es", "mail.de", "ymail.com", "email.com", "hey.com"}
)
"""Domains of others that are as close to a large one as a slip is."""

_DISPOSABLE = frozenset(
    {
        "10minutemail.com",
        "20minutemail.com",
        "dispostable.com",
        "emailondeck.com",
        "fakeinbox.com",
        "getnada.com",
        "guerrillamail.com",
        "guerrillamail.net",
        "guerrillamail.org",
        "maildrop.cc",
        "mailinator.com",
        "mailnesia.com",
        "mintemail.com",
        "moakt.com",
        "mohmal.com",
        "sharklasers.com",
        "spamgourmet.com",
        "temp-mail.org",
        "tempail.com",
        "tempmail.com",
        "tempmailo.com",
        "throwawaymail.com",
        "trashmail.com",
        "trashmail.de",
        "wegwerfmail.de",
        "yopmail.com",
        "yopmail.fr",
    }
)
"""Domains whose addresses are made to be thrown away. There are thousands; the best known do for a hint."""

_SHORTEST = 6
"""Letters of a domain's name: of shorter ones, one slip makes a domain of somebody else."""


@dataclass(frozen=True, slots=True)
class Hint:
    """`meant` is the address that was probably meant, '' where there is none; else it is disposable."""

    meant: str = ""

    @property
    def is_disposable(self) -> bool:
        """Whether the address will soon not be there any more."""
        return not self.meant


def hint_at(email: str) -> Hint | None:
    """Return what to ask about an address; None for most."""
    local, _, domain = email.rpartition("@")
    domain = domain.lower()
    if domain in _DISPOSABLE:
        return Hint()
    meant = _meant(domain)
    return Hint(f"{local}@{meant}") if meant else None


def _meant(domain: str) -> str:
    """Return the large domain that is one slip away, '' for none: a letter more, less, other or swapped."""
    if domain in LARGE or domain in _ALSO_REAL or len(domain) < _SHORTEST:
        return ""
    name, _, ending = domain.rpartition(".")
    for large in LARGE:
        its_name, _, its_ending = large.rpartition(".")
        if name == its_name and (ending in _SLIPS.get(its_ending, ())):
            return large
    close = [large for large in LARGE if is_one_slip(domain, large)]
    return close[0] if close and not _is_only_another_ending(domain, close[0]) else ""


_SLIPS = {"com": ("con", "cmo", "ocm", "comm", "vom", "xom", "cpm", "om", "cim"), "net": ("nte", "ner")}
"""Endings that are no top-level domain, or hardly ever that of a mailbox, typed for one that is."""


def is_one_slip(typed: str, meant: str) -> bool:
    """Tell whether one letter was left out, added, mistaken, or swapped with the next."""
    short, long = sorted((typed, meant), key=len)
    if short == long or len(long) - len(short) > 1:
        return False
    at = next((place for place, letter in enumerate(short) if letter != long[place]), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[:at] + short[at + 1 : at + 2] + short[at] + short[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped == long


def _is_only_another_ending(domain: str, large: str) -> bool:
    """Tell whether only the ending differs: yahoo.co and gmx.dk may be somebody's."""
    return domain.rpartition(".")[0] == large.rpartition(".")[0]
