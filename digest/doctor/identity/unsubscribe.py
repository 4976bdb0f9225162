"""One-click unsubscribe: whether a mail program's POST would arrive (RFC 8058). Only a GET is made."""

from __future__ import annotations

from urllib.parse import urlsplit

from digest.deliver.smtp.server import is_loopback
from digest.doctor.identity.verdicts import Verdict
from digest.domain.errors import NoSuchHost, Refused, Unavailable
from digest.gather.fetching.fetch import Looked
from digest.runtime import Runtime

_NOBODY = "nobodys"
"""A token that was never signed: Digest answers that the link does not work."""

OUR_WORDS = b"This link does not work"

_BODY_BYTES = 64 * 1024


async def look_at_unsubscribe(runtime: Runtime, *, seconds: float) -> Verdict:
    """Open an unsubscribe link that is nobody's, as seen from this machine."""
    url = runtime.link("unsubscribe", _NOBODY)
    verdict = Verdict("one-click unsubscribe")
    verdict.found.append(runtime.link("unsubscribe", "…"))
    parts = urlsplit(url)
    # A catcher of mail at home needs no address that others reach; the look at settings says so anyway.
    problems = verdict.hints if is_loopback(parts.hostname or "") else verdict.errors
    if parts.scheme != "https":
        problems.append("Without https mail programs show no button: let public_url begin with https")
    try:
        async with runtime.own_looker(seconds=seconds) as looker:
            looked = await looker.look(url, body_bytes=_BODY_BYTES)
    except NoSuchHost:
        problems.append(f"{parts.hostname} has no address: give it one, or correct public_url")
    except (Refused, Unavailable) as exc:
        problems.append(f"It cannot be opened from here: {exc}")
    else:
        judge_answer(verdict, problems, looked, url)
    return verdict


def judge_answer(verdict: Verdict, problems: list[str], looked: Looked, url: str) -> None:
    """Say into `problems` what is wrong with the answer to a link that is nobody's."""
    if looked.url != url:
        verdict.found.append(f"redirects to {looked.url.replace(_NOBODY, '…')}")
        problems.append("Mail programs do not follow a redirect: let public_url be the address it leads to")
    if looked.status == 404 and OUR_WORDS in looked.body:
        verdict.found.append("answers")
    elif looked.status in (401, 403):
        verdict.found.append(f"answers {looked.status}")
        problems.append("Readers are kept out: let the proxy pass on /unsubscribe/ for everybody")
    elif looked.status >= 500:
        verdict.found.append(f"answers {looked.status}")
        problems.append("Start the pages ('digest web' or 'digest up'), or see to the proxy before them")
    else:
        verdict.found.append(f"answers {looked.status}, and is not Digest")
        problems.append("Let the proxy pass on /unsubscribe/ to Digest's pages, or correct public_url")
