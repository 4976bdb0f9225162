"""One article, one address: URLs written the one way that all copies of them share."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from urllib.parse import unquote

import httpx2

from digest.domain.errors import InvalidInput

MAX_LENGTH = 2048

_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|[0-9a-f:.]*:[0-9a-f:.]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "piwik_", "matomo_", "hsa_", "at_", "ns_", "stm_", "guce_")
_TRACKING_NAMES = frozenset(
    re.findall(
        r"\S+",
        """
        fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid ysclid twclid ttclid igshid igsh li_fat_id
        mc_cid mc_eid _hsenc _hsmi __hstc __hssc __hsfp hsctatracking mkt_tok vero_id vero_conv oly_enc_id
        oly_anon_id _openstat cmpid s_cid s_kwcid ncid xtor wt_mc wt.mc_id ito taid sref soc_src soc_trk
        ref_src ref_url guccounter _ga _gl usqp amp_js_v amp_gsa __twitter_impression ftag bxid cndid esrc
        trk trkcampaign sc_campaign wickedid rb_clickid epik srsltid
        """,
    )
)
# Names that also carry meaning: dropped only with a value that can mean nothing but "came from there".
_AMBIGUOUS_NAMES = frozenset({"ref", "source", "src", "from", "partner", "emc", "cid", "via"})
_CAME_FROM = frozenset(
    {"rss", "feed", "feeds", "atom", "email", "newsletter", "twitter", "facebook", "share"}
)
_AMP_FLAGS = frozenset(
    {("amp", ""), ("amp", "1"), ("amp", "true"), ("outputtype", "amp"), ("outputtype", "valid_amp")}
)
_AMP_CACHE = re.compile(
    r"https?://[a-z0-9-]+\.cdn\.ampproject\.org/[cv]/(s/)?([^/?#]+\.[^?#]*)(.*)", re.IGNORECASE
)
_AMP_VIEWER = re.compile(r"https?://(?:www\.)?google\.[a-z.]+/amp/(s/)?([^/?#]+\.[^?#]*)(.*)", re.IGNORECASE)
_SLUG = re.compile(r"[-_\d]")


def is_http_url(text: str) -> bool:
    """Say whether `text` is an absolute http(s) URL with a host."""
    try:
        _parsed(text)
    except InvalidInput:
        return False
    return True


def canonical_url(url: str) -> str:
    """Return the one way to write `url`: what articles are told apart by, and what readers are sent to.

    Scheme and host in lower case, host in punycode (RFC 5891), default port, fragment, empty query and
    tracking parameters gone, AMP caches and `/amp` endings undone, an empty path written `/`. The order of
    the other parameters, a trailing slash and an `m.` or `www.` host stay: only the site knows whether its
    twin exists, and tells by `rel=canonical`. Applying it twice changes nothing.

    Raises `InvalidInput` when `url` is not an absolute http(s) URL, names a user, or is over 2,048
    characters long.
    """
    parsed = _parsed(_without_amp_cache(url))
    path, _, query = parsed.raw_path.decode("ascii").partition("?")
    kept = "&".join(part for part in query.split("&") if part and not _is_tracking(part))
    canonical = f"{parsed.scheme}://{_netloc(parsed)}{_without_amp_ending(path)}{'?' if kept else ''}{kept}"
    if len(canonical) > MAX_LENGTH:
        raise InvalidInput(
            f"'{canonical[:60]}…' is longer than {MAX_LENGTH} characters: not an article's URL"
        )
    return canonical


def canonical_or_none(url: str) -> str | None:
    """Return the canonical form of `url`, or None when it is not an http(s) URL."""
    try:
        return canonical_url(url)
    except InvalidInput:
        return None


def joined(base: str, reference: str) -> str | None:
    """Return the canonical URL of a link on the page `base`, or None when it leads nowhere by http(s)."""
    try:
        return canonical_url(str(httpx2.URL(base).join(reference.strip())))
    except (InvalidInput, httpx2.InvalidURL, ValueError):
        return None


def same_site(one: str, other: str) -> bool:
    """Say whether two http(s) URLs belong to one site: same port, and one host is, or is under, the other.

    `www.`, `m.`, `mobile.` and `amp.` count for nothing.
    """
    first, second = httpx2.URL(one), httpx2.URL(other)
    if first.port != second.port:
        return False
    left, right = _site_host(first.host), _site_host(second.host)
    return left == right or left.endswith(f".{right}") or right.endswith(f".{left}")


def _parsed(url: str) -> httpx2.URL:
    text = url.strip()
    try:
        parsed = httpx2.URL(text)
        host = _host(parsed)
    except (httpx2.InvalidURL, ValueError) as exc:
        raise InvalidInput(f"'{_shown(text)}' is not a URL: {exc}") from exc
    if parsed.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host):
        raise InvalidInput(f"'{_shown(text)}' is not an http(s) URL")
    if parsed.userinfo:
        raise InvalidInput(f"'{_shown(text)}' names a user: give the URL without it")
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise InvalidInput(f"'{_shown(text)}' has no such port: {parsed.port}")
    return parsed


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in text[:120])


def _host(parsed: httpx2.URL) -> str:
    """Return the host in ASCII; an IPv6 address in its shortest form (RFC 5952), without brackets."""
    host = parsed.raw_host.decode("ascii").removesuffix(".")
    return str(IPv6Address(host)) if ":" in host else host


def _netloc(parsed: httpx2.URL) -> str:
    host = _host(parsed)
    host = f"[{host}]" if ":" in host else host
    return host if parsed.port in (None, _DEFAULT_PORTS[parsed.scheme]) else f"{host}:{parsed.port}"


def _is_tracking(parameter: str) -> bool:
    name, _, value = unquote(parameter).casefold().partition("=")
    return (
        name in _TRACKING_NAMES
        or name.startswith(_TRACKING_PREFIXES)
        or (name in _AMBIGUOUS_NAMES and value in _CAME_FROM)
        or (name, value) in _AMP_FLAGS
    )


def _without_amp_cache(url: str) -> str:
    match = _AMP_CACHE.fullmatch(url.strip()) or _AMP_VIEWER.fullmatch(url.strip())
    return f"{'https' if match[1] else 'http'}://{match[2]}{match[3]}" if match else url


def _without_amp_ending(path: str) -> str:
    """Drop `/amp` after what looks like an article's own name; `/guitars/amp` stays."""
    head = path.rstrip("/").removesuffix("/amp")
    if head and head != path.rstrip("/") and _SLUG.search(head.rpartition("/")[2]):
        return head + "/" if path.endswith("/") else head
    return path


def _site_host(host: str) -> str:
    for prefix in ("www.", "m.", "mobile.", "amp."):
        if host.startswith(prefix) and host.count(".") > 1:
            return host.removeprefix(prefix)
    return host
