"""Whether those who act in a takeaway are those who act in the article: A sues B, not B sues A."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digest.condense.grounding.lexicon import Lexicon
from digest.condense.grounding.names import is_one_name
from digest.condense.grounding.reading import Kind, Token
from digest.condense.grounding.source import Passage, Source

NEXT = 3
"""Words beside a deed among which a name surely takes part in it."""
FAR = 12
"""Words between a deed and who does or suffers it."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done by one to another: the verb's key, the keys of who stands before it, and of who after.

    In a passive with its doer the sides are exchanged, so `doers` always act.
    """

    key: str
    doers: tuple[Token, ...]
    others: tuple[Token, ...]


def role_problems(claim: Passage, support: Sequence[Passage], source: Source) -> list[str]:
    """Return where a takeaway has one do to another what the article says the other did, in words."""
    theirs = [deed for passage in support for deed in deeds(passage, source.lexicon)]
    for ours in deeds(claim, source.lexicon):
        alike = [deed for deed in theirs if deed.key == ours.key]
        if alike and not any(_agree(ours, deed) for deed in alike):
            for deed in alike:
                swapped = _swapped(ours, deed)
                if swapped:
                    doer, other = swapped
                    return [
                        f"the roles are exchanged: in the article '{other.text}' is the one who acts, "
                        f"'{doer.text}' the other"
                    ]
    return []


def deeds(passage: Passage, lexicon: Lexicon) -> Iterator[Deed]:
    """Yield the deeds of a passage that have someone on both sides."""
    for place, token in enumerate(passage.tokens):
        if token.kind is not Kind.WORD or not token.key or token.folded not in lexicon.deeds:
            continue
        is_noun = place > 0 and passage.tokens[place - 1].folded in lexicon.determiners
        if is_noun or token.folded in lexicon.symmetric:
            continue
        before = _actors(passage.tokens[max(0, place - FAR) : place][::-1])
        after_tokens = passage.tokens[place + 1 : place + 1 + FAR]
        by = _doer_at(after_tokens, lexicon)
        after = _actors(after_tokens if by is None else after_tokens[by + 1 :])
        if not before or not after:
            continue
        both = {one.key for one in before} & {one.key for one in after}
        before = tuple(one for one in before if one.key not in both)
        after = tuple(one for one in after if one.key not in both)
        yield Deed(token.key, after if by is not None else before, before if by is not None else after)


def _doer_at(after: Sequence[Token], lexicon: Lexicon) -> int | None:
    """Return where "by" stands, when a doer follows it in the same clause."""
    for place, token in enumerate(after):
        if token.folded in lexicon.by and token.clause == after[0].clause:
            return place
    return None


def _actors(tokens: Sequence[Token]) -> tuple[Token, ...]:
    return tuple(token for token in tokens if token.key)


def _swapped(ours: Deed, theirs: Deed) -> tuple[Token, Token] | None:
    """Return who acts here and suffers there, and the other way about; None when nobody does."""
    other = _shared(ours.others, theirs.doers)
    doer = _shared(ours.doers, theirs.others)
    if other is not None and doer is None and not _shared(ours.doers, theirs.doers):
        # Who acts there may be called otherwise here: "accused the operator".
        is_next = other in ours.others[:NEXT] and _shared(theirs.doers[:NEXT], [other])
        doer = ours.doers[0] if is_next and other.is_capital else None
    if doer is None or other is None or is_one_name(doer.folded, other.folded):
        return None
    return doer, other


def _agree(ours: Deed, theirs: Deed) -> bool:
    """Tell whether both sides of a deed have someone in common with the same side of another."""
    return (
        _shared(ours.doers, theirs.doers) is not None
        and _shared(ours.others, theirs.others) is not None
        and _swapped(ours, theirs) is None
    )


def _shared(ours: Sequence[Token], theirs: Sequence[Token]) -> Token | None:
    return next((one for one in ours if any(one.key == other.key for other in theirs)), None)
