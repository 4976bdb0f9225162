"""A list of readers is brought in, or tried, on somebody's terms: by the command at once, or by a worker."""

from __future__ import annotations

from collections.abc import Sequence

from digest.domain.newsletters import Newsletter
from digest.domain.reader_lists import ListTerms
from digest.intake.lists.files import ListFile, layout_named
from digest.intake.lists.people import Terms
from digest.intake.lists.reading import List
from digest.intake.lists.steps import Imported, Manner, import_list
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import list_topics


def bring_in(
    runtime: Runtime,
    newsletter: Newsletter,
    files: Sequence[ListFile],
    terms: ListTerms,
    *,
    by: str,
    manner: Manner,
    tags_from: Sequence[str] = (),
) -> Imported:
    """Read the files of a list, and add whom it names as `manner` wants it; return what came of it.

    `tags_from` are further columns that hold tags. Nobody who was erased comes back. Raises `InvalidInput`
    for terms that do not fit and lists that are none.
    """
    with reading(runtime.engine) as session:
        topics = list_topics(session, newsletter.id)
    read_as = Terms.of(
        newsletter,
        topics,
        tags=terms.tags,
        everybody=terms.topics,
        tags_from=tags_from,
        columns=terms.columns,
    )
    people = List(files, read_as, layout_named(terms.program) if terms.program else None)
    return import_list(
        runtime.engine,
        newsletter,
        people,
        by=by,
        now=runtime.clock(),
        marked=runtime.erasure_keys,
        manner=manner,
    )
