"""One article, one address: URLs written the one way that all copies of them share."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from urllib.parse import quote, unquote

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
# A visitor's own number: whoever follows a link with it is taken for that visitor.
_SESSION_NAMES = frozenset({"phpsessid", "jsessionid", "aspsessionid", "cfid", "cftoken", "zenid"})
_SESSION_OR_NOT = frozenset({"sid", "session", "sessionid", "session_id", "s"})
_SESSION_VALUE = re.compile(r"[0-9a-f]{24,}|[0-9a-z]{32,}")
_SESSION_IN_PATH = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
# What only the comparison of addresses leaves out.
_PRINT_FLAGS = frozenset(
    {
        "print",
        "printable",
        "print_view",
        "printview",
        "printer",
        "printer_friendly",
        "view",
        "output",
        "format",
    }
)
_PRINT_VALUES = frozenset({"", "1", "true", "yes", "print", "printable", "printer"})
_INDEX = re.compile(r"(?:index|default)\.(?:html?|php\d?|aspx?|jsp|cfm)", re.IGNORECASE)
_FEED = re.compile(r"feed:(?://)?(https?://)?(.*)", re.IGNORECASE | re.DOTALL)
_CREDENTIALS = re.compile(r"(?<=//)[^/?#]*@")
_ESCAPED = re.compile(r"%([0-9a-fA-F]{2})")
_FRAGMENT = "!$&'()*+,;=:@/?-._~"
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")


def is_http_url(text: str) -> bool:
    """Say whether `text` is an absolute http(s) URL with a host."""
    try:
        _parsed(text)
    except InvalidInput:
        return False
    return True


def given_url(text: str) -> str:
    """Return the http(s) URL that a person or a list gives, without blanks around it.

    `feed://host/…` and `feed:https://host/…`, which browsers once handed to feed readers, are read as what
    they mean. Raises `InvalidInput`, which says what is wrong and never repeats a password.
    """
    url = text.strip()
    if found := _FEED.fullmatch(url):
        url = (found[1] or "http://") + found[2]
    _parsed(url)
    if len(url) > MAX_LENGTH:
        raise InvalidInput(f"'{shown_url(url[:60])}…' is longer than {MAX_LENGTH} characters")
    return url


def canonical_url(url: str) -> str:
    """Return the one way to write `url`: what articles are told apart by, and what readers are sent to.

    Scheme and host in lower case, host in punycode (RFC 5891), default port, fragment, empty query,
    tracking parameters and session numbers gone, AMP caches and `/amp` endings undone, an empty path written
    `/`. A fragment that begins with `!` stays: on such sites it is what names the article. So do the order of
    the other parameters, a trailing slash and an `m.` or `www.` host: only the site knows whether its twin
    exists, and tells by `rel=canonical`; `comparison_key` folds them. Applying it twice changes nothing.

    Raises `InvalidInput` when `url` is not an absolute http(s) URL, names a user, or is over 2,048
    characters long.
    """
    parsed = _parsed(_without_amp_cache(url))
    path, _, query = parsed.raw_path.decode("ascii").partition("?")
    kept = "&".join(part for part in query.split("&") if part and not _is_of_the_visit(part))
    path = _without_amp_ending(_SESSION_IN_PATH.sub("", path)) or "/"
    canonical = f"{parsed.scheme}://{_netloc(parsed)}{path}{'?' if kept else ''}{kept}{_route(parsed)}"
    if len(canonical) > MAX_LENGTH:
        raise InvalidInput(f"'{canonical[:60]}…' is longer than {MAX_LENGTH} characters")
    return canonical


def comparison_key(url: str) -> str:
    """Return what two addresses of one article share: look known articles up by it, never link to it.

    Over the canonical form it leaves out what seldom tells two articles apart: the scheme, `www.`, `m.`,
    `mobile.` and `amp.` hosts, trailing and doubled slashes, `index.html`, the order of parameters, a print
    version, and in how far harmless characters are escaped. Raises `InvalidInput` as `canonical_url` does.
    """
    parsed = httpx2.URL(canonical_url(url))
    path, _, query = parsed.raw_path.decode("ascii").partition("?")
    parts = [part for part in _unescaped(path).split("/") if part]
    while parts and (_INDEX.fullmatch(parts[-1]) or (parts[-1].casefold() == "print" and len(parts) > 1)):
        parts.pop()
    kept = sorted({_unescaped(part) for part in query.split("&") if part and not _is_print_flag(part)})
    port = "" if parsed.port is None else f":{parsed.port}"
    key = f"{_site_host(_host(parsed))}{port}/{'/'.join(parts)}{'?' if kept else ''}{'&'.join(kept)}"
    return key + _route(parsed)


def address_key(url: str) -> str:
    """Return what all spellings of a source's address share: not the scheme, `www.` or a last slash."""
    try:
        return comparison_key(url)
    except InvalidInput:
        return url


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
        # What the parser stumbled over may be part of a password.
        why = "" if "@" in text else f": {exc}"
        raise InvalidInput(f"'{shown_url(text)}' is not a URL{why}") from None
    if not parsed.scheme:
        raise InvalidInput(
            f"'{shown_url(text)}' is not an http(s) URL: give the whole address, with https:// before it"
        )
    if parsed.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host):
        raise InvalidInput(f"'{shown_url(text)}' is not an http(s) URL")
    if parsed.userinfo:
        raise InvalidInput(
            f"'{shown_url(text)}' carries a user name or password, with which nothing is fetched: "
            "leave it out"
        )
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise InvalidInput(f"'{shown_url(text)}' has no such port: {parsed.port}")
    return parsed


def shown_url(text: str) -> str:
    """Return as much of an address as can be repeated: without what stands before an @ in it."""
    try:
        httpx2.URL(text)
        told = _CREDENTIALS.sub("…@", text)
    except (httpx2.InvalidURL, ValueError):
        told = re.sub(r"(?<=//).*@", "…@", text, flags=re.DOTALL)
    return "".join(char if char.isprintable() else "�" for char in told[:120])


def _host(parsed: httpx2.URL) -> str:
    """Return the host in ASCII; an IPv6 address in its shortest form (RFC 5952), without brackets."""
    host = parsed.raw_host.decode("ascii").removesuffix(".")
    return str(IPv6Address(host)) if ":" in host else host


def _netloc(parsed: httpx2.URL) -> str:
    host = _host(parsed)
    host = f"[{host}]" if ":" in host else host
    return host if parsed.port in (None, _DEFAULT_PORTS[parsed.scheme]) else f"{host}:{parsed.port}"


def _route(parsed: httpx2.URL) -> str:
    """Return a fragment that a script reads as the article's name (`#!/2026/story`), '' without one."""
    fragment = parsed.fragment
    return f"#{quote(fragment, safe=_FRAGMENT)}" if fragment.startswith("!") and len(fragment) > 2 else ""


def _unescaped(text: str) -> str:
    """Return text with harmless characters bare, and the other escapes in capitals (RFC 3986 §6.2.2)."""

    def one(match: re.Match[str]) -> str:
        char = chr(int(match[1], 16))
        return char if char in _UNRESERVED else match[0].upper()

    return _ESCAPED.sub(one, text)


def _is_print_flag(parameter: str) -> bool:
    name, _, value = unquote(parameter).casefold().partition("=")
    if name in ("view", "output", "format"):
        return value in ("print", "printable", "printer")
    return name in _PRINT_FLAGS and value in _PRINT_VALUES


def _is_of_the_visit(parameter: str) -> bool:
    """Say whether a parameter tells of the visit and not of the article: whence, and by whom."""
    name, _, value = unquote(parameter).casefold().partition("=")
    is_session = name in _SESSION_NAMES or name.startswith("aspsessionid")
    return (
        is_session
        or (name in _SESSION_OR_NOT and bool(_SESSION_VALUE.fullmatch(value)))
        or _is_tracking(parameter)
    )


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
