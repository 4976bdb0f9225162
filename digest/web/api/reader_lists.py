"""Lists of readers: uploaded, tried and brought in by a worker; each with what became of its lines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field, StrictBool

from digest.domain.accounts import Right
from digest.domain.reader_lists import ListStage, ListTerms, ReaderList
from digest.domain.topics import TOPICS_MAX
from digest.pipeline import reader_lists as keeping
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.store.reader_lists import get_reader_list
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.shapes import NUMBER_MOST, PATH, Given, Line, NewsletterName, Slug, Text, Told
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Subscribers"])

ListNumber = Annotated[int, Path(ge=1, le=NUMBER_MOST, description="The list's number.")]


class TermsOfList(Given):
    """How a list is to be taken."""

    program: Line = Field("", description="Which program wrote it, as `mailchimp`; '' finds that out.")
    tags: dict[Line, Line] = Field(
        default_factory=dict,
        max_length=500,
        description="Topics that its words lead to, by short name; '' leaves a word out.",
    )
    topics: list[Slug] = Field(
        default_factory=list, max_length=TOPICS_MAX, description="Topics that everybody on it follows."
    )
    columns: dict[Line, Line] = Field(
        default_factory=dict, max_length=100, description="Which of our columns another name stands for."
    )
    skips_wrong: StrictBool = Field(False, description="Leave out lines that are wrong; else one stops all.")


class NewReaderList(TermsOfList):
    """A list to be uploaded, and tried."""

    file: Line = Field(min_length=1, examples=["readers.csv"])
    text: Text = Field(min_length=1, description="Its lines, as CSV.", examples=["email\nada@example.org\n"])


class ReaderListTold(Told):
    """A list as it stands. It is over with `ended_at`; then `counts` or `problem` say what came of it."""

    id: int
    file: str
    stage: ListStage
    done: int = Field(description="Lines read or stored so far.")
    total: int | None
    ended_at: datetime | None
    counts: Mapping[str, int] = Field(description="Lines by what would become of them, or what became.")
    notes: list[str]
    unknown_tags: Mapping[str, int] = Field(description="Words that lead to no topic, with their lines.")
    without_topic: int = Field(description="New readers who would follow nothing.")
    problem: str

    @classmethod
    def of(cls, one: ReaderList) -> ReaderListTold:
        """Return a list as the API tells it."""
        told = one.told
        return cls(
            id=one.id,
            file=one.file,
            stage=one.stage,
            done=one.done,
            total=one.total,
            ended_at=one.ended_at,
            counts=told.counts if told else {},
            notes=list(told.notes) if told else [],
            unknown_tags=told.unknown_tags if told else {},
            without_topic=told.without_topic if told else 0,
            problem=one.problem,
        )


@router.post("/newsletters/{newsletter}/reader-lists", status_code=201, **asks(Right.OPERATE))
def upload_reader_list(
    runtime: TheRuntime,
    caller: TheCaller,
    response: Response,
    newsletter: NewsletterName,
    new: NewReaderList,
) -> ReaderListTold:
    """Upload a list of readers. A worker tries it; nobody is stored yet."""
    kept = keeping.upload(runtime, newsletter, new.file, new.text.encode(), _terms(new), by=caller.name)
    response.headers["Location"] = f"{PATH}/newsletters/{newsletter}/reader-lists/{kept.id}"
    return ReaderListTold.of(kept)


@router.get("/newsletters/{newsletter}/reader-lists/{list_id}", **asks(Right.OPERATE))
def show_reader_list(runtime: TheRuntime, newsletter: NewsletterName, list_id: ListNumber) -> ReaderListTold:
    """Return how a list stands. Lists are kept for a day or two."""
    with reading(runtime.engine) as session:
        return ReaderListTold.of(get_reader_list(session, get_newsletter(session, newsletter).id, list_id))


@router.post("/newsletters/{newsletter}/reader-lists/{list_id}/{stage}", **asks(Right.OPERATE))
def go_on_with_reader_list(
    runtime: TheRuntime,
    caller: TheCaller,
    newsletter: NewsletterName,
    list_id: ListNumber,
    stage: ListStage,
    terms: TermsOfList,
) -> ReaderListTold:
    """Have a list tried once more (`trial`) or brought in (`import`) on these terms."""
    kept = keeping.again(runtime, newsletter, list_id, stage, _terms(terms), by=caller.name)
    return ReaderListTold.of(kept)


def _terms(given: TermsOfList) -> ListTerms:
    return ListTerms(given.program, given.tags, tuple(given.topics), given.columns, given.skips_wrong)
