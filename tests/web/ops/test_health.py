"""Health and metrics: what everything stands on, and that what reads the metrics names those there are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import update

from digest.deliver.outages import meet_outage
from digest.domain.consents import ConsentSource
from digest.domain.deliveries import DeliveryState
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUp, Wishes
from digest.pipeline import alive
from digest.pipeline.control import pause
from digest.pipeline.sign_ups import keep_sign_ups, take_in_sign_ups
from digest.store.database import reading, writing
from digest.store.heartbeats import last_heartbeat, list_heartbeats, note_heartbeat
from digest.store.sources import SourceRow
from digest.web.ops import tallies as counting
from digest.web.ops.metrics import METRICS
from tests.samples import CLIMATE
from tests.servers.processes import free_port
from tests.waiting import PATIENCE
from tests.web.ops.reading import read
from tests.web.ops.world import BLOCKED, add_mails
from tests.web.site import Site
from tests.web.world import NOW, SENDING

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
TOKEN = "a token that opens nothing but the metrics of these tests"


@pytest.fixture(autouse=True)
def counted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.web.ops.metrics.WAIT_SECONDS", PATIENCE)
    monkeypatch.setattr(counting, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(counting, "SPARED", 0)


def work(site: Site, process: str = "mail-a:412", ago: timedelta = timedelta(seconds=40)) -> None:
    with writing(site.runtime.engine) as session:
        note_heartbeat(session, process, now=NOW - ago)


def test_without_a_worker_the_page_says_what_that_means_and_what_to_do(ops: Site) -> None:
    work(ops, ago=timedelta(minutes=3))
    told = read(ops, "/ops/health")
    assert "Workers Silent None was heard of for 2 min: nothing is gathered, made or sent." in told
    assert "Start ‘digest up’, or a worker and the beat." in told


def test_all_that_is_well_says_so(ops: Site) -> None:
    work(ops)
    work(ops, "mail-a:413")
    told = read(ops, "/ops/health")
    assert "Workers Well 2 processes at work, last heard of 1 min ago." in told
    assert re.search(r"Database Well SQLite, answered in [0-9.]+ ms\.", told)
    assert "Broker Well Inside ‘digest up’." in told
    assert "Mail server Well No send waits for it." in told
    assert "Every source could be read at its last poll." in told


def test_a_broker_that_is_away_is_told_without_its_password(
    open_site: Callable[..., Site], ops_database: Path
) -> None:
    port = free_port()
    site = open_site(ops_database, broker_url=f"redis://:open-sesame@127.0.0.1:{port}/0")
    page = site.get("/ops/health").text
    assert "Redis at 127.0.0.1 does not answer; nothing is lost" in page
    assert "open-sesame" not in page


def test_a_mail_server_that_is_away_and_a_source_that_fails_are_told_with_their_words(ops: Site) -> None:
    meet_outage(ops.runtime.engine, SENDING, "mail.example.org:25 takes no mail", now=NOW)
    with writing(ops.runtime.engine) as session:
        values = {"failing_since": NOW - timedelta(hours=5), "failures": 4, "last_error": "answered 503"}
        session.execute(update(SourceRow).where(SourceRow.name == "Northlight").values(**values))
    told = read(ops, "/ops/health")
    assert "Mail server Not well Sends wait for it: mail.example.org:25 takes no mail" in told
    assert "Northlight The Saturday Reader · failing since 5 h ago · 4 tries answered 503" in told


def test_rates_are_shown_against_what_mailboxes_ask_for(ops: Site) -> None:
    add_mails(ops.runtime.engine, DeliveryState.ACCEPTED, 95)
    add_mails(ops.runtime.engine, DeliveryState.FAILED, 5, said=BLOCKED)
    first = read(ops, "/ops/health")
    assert "1 more are being counted." in first or "5.00%" in first
    for _ in range(100):
        page = ops.get("/ops/health").text
        if "5.00%" in page:
            break
    assert '<td class="bad">5.00%</td><td class="">0.000%</td>' in page


# --- heartbeats


def test_a_process_is_heard_of_now_and_then_and_forgotten_after_a_day(
    ops: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alive, "_noted", {})
    work(ops, "long-gone:1", ago=timedelta(days=2))
    alive.note_alive(ops.runtime)
    with reading(ops.runtime.engine) as session:
        (only,) = list_heartbeats(session, since=NOW - timedelta(days=9))
    assert only.seen_at == only.since == NOW
    work(ops, only.process, ago=timedelta(seconds=9))
    alive.note_alive(ops.runtime)
    with reading(ops.runtime.engine) as session:
        assert last_heartbeat(session) == NOW - timedelta(seconds=9), "it was noted just now"


# --- metrics


@pytest.fixture
def measured(open_site: Callable[..., Site], ops_database: Path) -> Site:
    return open_site(ops_database, metrics_token=TOKEN)


def scrape(site: Site) -> dict[str, float]:
    response = site.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = (line.rpartition(" ") for line in response.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_metrics_are_for_who_has_the_token(ops: Site, measured: Site) -> None:
    assert ops.get("/metrics").status_code == 404
    assert ops.client.get("/metrics", headers={"Authorization": "Bearer"}).status_code == 404
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {TOKEN}"}):
        response = measured.client.get("/metrics", headers=header)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


def test_metrics_tell_how_everything_stands(measured: Site) -> None:
    work(measured)
    add_mails(measured.runtime.engine, DeliveryState.ACCEPTED, 30)
    found = scrape(measured)
    issue = f'issue="{SENDING}",newsletter="saturday"'
    assert found["digest_workers"] == 1
    assert found["digest_last_heartbeat_timestamp_seconds"] == NOW.timestamp() - 40
    assert found['digest_runs{state="failed"}'] == found['digest_runs{state="held"}'] == 1
    assert found[f'digest_deliveries{{{issue},state="accepted"}}'] == 30
    assert found[f"digest_send_due{{{issue}}}"] == 2
    assert found[f"digest_send_rate{{{issue}}}"] == 1.5
    assert found[f"digest_send_paused{{{issue}}}"] == 0
    assert found['digest_sources{newsletter="saturday"}'] == 6
    assert found['digest_clicks{newsletter="saturday"}'] == 0
    due = found['digest_schedule_next_due_timestamp_seconds{newsletter="saturday",schedule="1"}']
    assert due == NOW.timestamp() + 7 * 86_400 - 3_600
    pause(measured.runtime, SENDING, by="Ada")
    assert scrape(measured)[f"digest_send_paused{{{issue}}}"] == 1


def test_sign_ups_are_counted_by_what_became_of_them_and_how_many_wait(
    open_site: Callable[..., Site], ops_database: Path
) -> None:
    site = open_site(ops_database, metrics_token=TOKEN, sign_ups_per_newsletter_hour=2)
    wishes = Wishes(frozenset({CLIMATE}))
    emails = [*(f"reader-{number}@example.org" for number in range(5)), "reader-0@example.org"]
    keep_sign_ups(
        site.runtime,
        [SignUp(NewsletterId(1), email, wishes, ConsentSource.PAGE, "", "", NOW) for email in emails],
    )
    assert scrape(site)["digest_sign_ups_waiting"] == 6
    take_in_sign_ups(site.runtime)
    found = scrape(site)
    for outcome, count in {"asked": 2, "per_newsletter": 3, "per_address": 1, "given_up": 0}.items():
        assert found[f'digest_sign_ups{{newsletter="saturday",outcome="{outcome}"}}'] == count
    assert found["digest_sign_ups_waiting"] == 0
    assert found['digest_sign_ups_put_off{newsletter="saturday"}'] == 3


def test_each_metric_says_what_it_is_once(measured: Site) -> None:
    work(measured)
    text = measured.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    helped = re.findall(r"^# HELP (\w+) (.+)$", text, re.MULTILINE)
    assert dict(helped) == dict(METRICS)
    assert len(helped) == len(METRICS), "all samples of one metric stand together"


def _expressions() -> list[str]:
    board = json.loads((DEPLOY / "grafana/digest.json").read_text())
    rules: Any = yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]] + [
        rule["expr"] for group in rules["groups"] for rule in group["rules"]
    ]


def test_the_dashboard_and_the_alerts_ask_for_metrics_that_there_are() -> None:
    asked = {name for expression in _expressions() for name in re.findall(r"\bdigest_\w+", expression)}
    assert asked <= set(METRICS)
    assert len(asked) >= 12, "what nobody looks at need not be told"
    assert len(_expressions()) > 20


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    rules: Any = yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())
    for rule in rules["groups"][0]["rules"]:
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
