"""What `digest article takeaways` says: what each rests on, whose they are, and every version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from digest.cli.output import plain, rule, say, show_table
from digest.domain.articles import Condensed, Takeaway, Usage
from digest.domain.counting import counted
from digest.gather.urls import comparison_key
from digest.store.articles import StoredArticle, articles_by_id, find_text
from digest.store.condensings import Condensing, Versions
from digest.store.naming import get_named_article
from digest.store.spending import ArticleAccount, account_of

MILLION = 1_000_000


def get_article(session: Session, name: str) -> StoredArticle:
    """Return the article that a person means by an id or an address.

    Raises `NotFound` when there is none, `InvalidInput` when several newsletters have one at that address.
    """
    name = name.strip()
    found = get_named_article(session, name, addresses=[comparison_key(name)] if "://" in name else [])
    return articles_by_id(session, [found.id])[found.id]


def quotes(takeaway: Takeaway, text: str | None) -> list[str]:
    """Return the words of the article that support a takeaway; none when the text is not kept."""
    return [text[span.start : span.end] for span in takeaway.support] if text is not None else []


def as_json(session: Session, stored: StoredArticle, versions: Versions, shown: Condensing) -> dict[str, Any]:
    """Return an article's takeaways for programs: the shown version with what it quotes, and all others."""
    text = find_text(session, stored.id, shown.of)
    return {
        "article": {"id": stored.id, "url": stored.article.url, "title": stored.article.title},
        "current": versions.current.version,
        "editors": versions.editors and versions.editors.version,
        "outdated": versions.outdated,
        **plain(shown),
        "quotes": [quotes(takeaway, text) for takeaway in shown.condensed.takeaways],
        "versions": versions.kept,
        "account": account_of(session, stored.id),
    }


def show(session: Session, stored: StoredArticle, versions: Versions, shown: Condensing) -> None:
    """Print a version of an article's takeaways, then a line for each version there is."""
    say(f"{stored.id}  {stored.article.title}")
    say(stored.article.url)
    say(_in_words(shown, versions))
    say(_holder(versions))
    if versions.outdated:
        say(f"Look again: {versions.outdated}. {_how_to_keep(versions)}")
    rule("takeaways")
    text = find_text(session, stored.id, shown.of)
    for takeaway in shown.condensed.takeaways:
        _show_takeaway(takeaway, text)
    _show_rest(shown.condensed)
    _show_account(account_of(session, stored.id))
    rule("versions")
    show_table(
        ("version", "", "made", "by", "takeaways", "note"),
        [_row(one, versions) for one in reversed(versions.kept)],
        empty="",
    )


def _in_words(shown: Condensing, versions: Versions) -> str:
    holds = "holds" if shown.version == versions.current.version else "does not hold"
    made_from = f", from version {shown.made_from}" if shown.made_from else ""
    made_at = f"{shown.made_at:%Y-%m-%d %H:%M} UTC"
    return f"Version {shown.version} {holds}: made by {_who(shown)}{made_from} on {made_at}"


def _holder(versions: Versions) -> str:
    """Say who has the article: what becomes of its takeaways when it is condensed again."""
    editors, number = versions.editors, versions.article_id
    if editors is None:
        return "They are the program's: condensing again may renew them."
    hand_back = f"'digest article release {number}' hands them back to the program"
    if editors == versions.current:
        return f"They are {editors.made_by}'s: condensing again leaves them as they are; {hand_back}."
    return (
        f"The article is for its headline alone now. Version {editors.version}, {editors.made_by}'s, holds "
        f"again when that changes; {hand_back}."
    )


def _how_to_keep(versions: Versions) -> str:
    held = versions.current.version
    return f"'digest article restore {versions.article_id} --version {held}' says that they stay."


def _who(version: Condensing) -> str:
    return version.made_by or "the program"


def _show_takeaway(takeaway: Takeaway, text: str | None) -> None:
    say(f"• {takeaway.text}")
    model = f", by {takeaway.model} (prompt {takeaway.prompt})" if takeaway.model else ""
    say(f"    {takeaway.origin}{model}")
    for quote in quotes(takeaway, text):
        say(
            f"    “{' '.join(quote.split())}”"
            if quote != takeaway.text
            else "    word for word in the article"
        )
    if text is None and takeaway.support:
        say("    the text it was made of is not kept")


def _show_rest(condensed: Condensed) -> None:
    for words in _told(condensed):
        say(words)
    if condensed.rejected:
        rule("rejected")
        show_table(("takeaway", "because"), [(one.text, one.why) for one in condensed.rejected], empty="")


def _told(condensed: Condensed) -> Iterator[str]:
    if condensed.why_none:
        yield f"none: {condensed.why_none}"
    if condensed.note:
        yield f"note: {condensed.note}"
    if condensed.usage:
        yield cost_in_words(condensed.usage)


def cost_in_words(usage: Usage) -> str:
    """Say what a language model's part came to."""
    if usage.was_cached:
        return "the model's answer was paid for before"
    tokens = counted(usage.input_tokens, "token")
    return f"{tokens} read, {usage.output_tokens} written, US$ {usage.cost / MILLION:.4f}"


def _show_account(account: ArticleAccount) -> None:
    """Say what an article cost where that is more than its version tells: other calls, broken ones."""
    if account.calls < 2 and not account.unknown:
        return
    unknown = f"; {account.unknown} of unknown cost, at the most it may be" if account.unknown else ""
    say(f"the model in all: {counted(account.calls, 'call')}, US$ {account.cost / MILLION:.4f}{unknown}")


def _row(one: Condensing, versions: Versions) -> tuple[Any, ...]:
    told = one.condensed
    of = "of an older text" if one.of != versions.of else ""
    released = (
        f"handed back by {one.released_by} on {one.released_at:%Y-%m-%d %H:%M}" if one.released_at else ""
    )
    made_from = f"from {one.made_from}" if one.made_from else ""
    return (
        one.version,
        "holds" if one.version == versions.current.version else "",
        f"{one.made_at:%Y-%m-%d %H:%M}",
        _who(one),
        len(told.takeaways),
        "; ".join(filter(None, (made_from, of, released, told.why_none or "", told.note))),
    )
