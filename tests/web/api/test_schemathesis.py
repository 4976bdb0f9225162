"""The API does what its document says, whatever it is sent: schemathesis makes up the requests.

A few for each call; with `--hypothesis-profile=explore` hundreds.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from digest.web.api import PATH
from digest.web.api.access import Call
from digest.web.api.application import ROUTERS
from tests.web.api.conftest import Api, open_api

EXAMPLES = 4 if settings.get_current_profile_name() == "steady" else 300
ELSEWHERE = {
    "run_checks",
    "test_issue",
    "end_token",
    "add_issue_article",
    "add_newsletter_article",
    "search_site",
    "try_source",
}
"""Calls that ask others' servers, whose answers are not ours to promise, and one that ends our own token."""

NAMES = [
    route.name
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, Call) and route.name not in ELSEWHERE
]

SEMANTIC = [positive_data_acceptance]
"""Left out: no schema says whether a text is a cron rule, a zone, a cursor of ours or a mailbox."""


def about_what_is_there(document: dict[str, Any]) -> dict[str, Any]:
    """Narrow names and numbers to those of the sample, as made-up ones lead nowhere."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["schema"].get("type") == "integer":
                    parameter["schema"]["maximum"] = 6
                if parameter["name"] == "newsletter" and parameter["in"] == "path":
                    parameter["schema"] = {"type": "string", "enum": ["saturday", "monday"]}
    return document


@pytest.fixture(scope="module")
def tried_api(filled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    file = Path(shutil.copy(filled_database, tmp_path_factory.mktemp("api") / "tried.db"))
    api = open_api(file, api_requests_per_minute=1_000_000)
    yield api
    api.runtime.engine.dispose()


def document_of(api: Api) -> dict[str, Any]:
    return about_what_is_there(api.client.get(f"{PATH}/openapi.json").json())


def operations_of(document: dict[str, Any], api: Api) -> dict[str, Any]:
    schema = schemathesis.openapi.from_dict(document)
    schema.app = api.client.app
    schema.config.update(base_url=f"http://testserver{PATH}")
    return {found.ok().definition.raw["operationId"]: found.ok() for found in schema.get_all_operations()}


@pytest.fixture(scope="module")
def operations(tried_api: Api) -> dict[str, Any]:
    return operations_of(document_of(tried_api), tried_api)


@pytest.mark.parametrize("name", NAMES)
def test_a_call_keeps_to_its_document(name: str, operations: dict[str, Any], tried_api: Api) -> None:
    keeps_to_it(operations[name], tried_api)


def test_a_document_that_promises_something_else_is_noticed(tried_api: Api) -> None:
    document = document_of(tried_api)
    document["components"]["schemas"]["Newsletter"]["properties"]["id"] = {"type": "string"}
    with pytest.raises(FailureGroup):
        keeps_to_it(operations_of(document, tried_api)["list_all_newsletters"], tried_api)


def keeps_to_it(operation: Any, api: Api) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=operation.as_strategy())
    def keeps(case: schemathesis.Case) -> None:
        headers = {"Authorization": f"Bearer {api.secret}"}
        case.call_and_validate(headers=headers, excluded_checks=SEMANTIC)

    keeps()
