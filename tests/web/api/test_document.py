"""The API tells what it can do: as OpenAPI, and as a page that needs no script."""

from __future__ import annotations

import re

from digest.web.api import PATH
from digest.web.api.access import Call
from digest.web.api.application import ROUTERS
from digest.web.api.problems import KINDS
from tests.web.api.conftest import Api

CALLS = [route for router in ROUTERS for route in router.routes if isinstance(route, Call)]


def test_the_document_names_every_call_with_its_right_and_its_problems(still_api: Api) -> None:
    document = still_api.client.get(f"{PATH}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["security"] == [{"token": []}]
    told = {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert set(told) == {(method, call.path) for call in CALLS for method in call.methods}
    for call in CALLS:
        for method in call.methods:
            operation = told[method, call.path]
            assert operation["x-right"] == call.right
            assert operation["operationId"] == call.name
            assert {"401", "403", "422", "429", "503"} <= set(operation["responses"])
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_no_two_calls_have_one_name() -> None:
    names = [call.name for call in CALLS]
    assert len(set(names)) == len(names)


def test_the_reference_shows_every_call_and_every_kind_of_problem(still_api: Api) -> None:
    response = still_api.client.get(f"{PATH}/reference")
    assert response.status_code == 200
    for call in CALLS:
        assert f'id="{call.name}"' in response.text
    for kind in KINDS:
        assert f'id="{kind.code}"' in response.text, "a problem's type leads here"
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://(?!127)", response.text)
    assert len(ids := re.findall(r'\sid="([^"]+)"', response.text)) == len(set(ids))
