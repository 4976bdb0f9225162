"""Lists as other programs write them, brought into a newsletter of three topics."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.domain.erasing import NO_MARKS
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import Subscription
from digest.intake.lists.files import files_at, layout_named
from digest.intake.lists.outcomes import LineTold
from digest.intake.lists.people import Terms
from digest.intake.lists.reading import List
from digest.intake.lists.steps import Imported, Manner, import_list
from digest.store.database import reading
from digest.store.newsletters import list_topics
from digest.store.subscription_pages import list_subscriptions
from tests.stored import NOW, stored_newsletter


class Intake:
    """A newsletter, and a folder of files that it is given."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.newsletter: Newsletter = stored_newsletter(engine)
        self.told: list[LineTold] = []

    def file(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def __call__(
        self,
        *paths: Path,
        program: str = "",
        skips_wrong: bool = False,
        is_trial: bool = False,
        **terms: object,
    ) -> Imported:
        with reading(self.engine) as session:
            topics = list_topics(session, self.newsletter.id)
        people = List(
            files_at(paths),
            Terms.of(self.newsletter, topics, **terms),  # type: ignore[arg-type]
            layout_named(program) if program else None,
        )
        manner = Manner(skips_wrong=skips_wrong, is_trial=is_trial, tell=self.told.append)
        return import_list(
            self.engine, self.newsletter, people, by="ops", now=NOW, marked=NO_MARKS, manner=manner
        )

    @property
    def subscriptions(self) -> dict[str, Subscription]:
        with reading(self.engine) as session:
            found = list_subscriptions(session, self.newsletter.id, limit=100_000)
        return {one.subscriber.email: one for one in found}


@pytest.fixture
def intake(engine: Engine, tmp_path: Path) -> Intake:
    return Intake(engine, tmp_path)
