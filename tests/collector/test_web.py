"""The pages and the API, without a network."""

from __future__ import annotations

from starlette.testclient import TestClient

from factories import flow
from ipsecmon.metrics import ExporterFacts, render_result
from ipsecmon.model import PollError, PollResult, Reason, Stage
from ipsecmon.store import Store
from ipsecmon.tunnels import build
from ipsecmon.web import WebContext, create_app
from ipsecmon_parsers.records import Platform


def context(*results: PollResult) -> WebContext:
    store = Store()
    for one in results:
        store.put(one, render_result(one))
    return WebContext(
        store=store,
        stale_after={"Site1": 180.0},
        facts=lambda: ExporterFacts(sessions_open=0, jobs_missed=0),
        clock=lambda: 1010.0,
    )


def client(*results: PollResult) -> TestClient:
    return TestClient(create_app(context(*results)))


def failed(cause: str = "refused") -> PollResult:
    reading = build(
        device="Site1",
        device_address="192.0.2.1",
        flows=[flow(crypto_map="<b>bold</b>")],
        ike_sas=[],
        lifetime=None,
        previous=(),
        at=1000.0,
    )
    return PollResult(
        device="Site1",
        host="192.0.2.1",
        platform=Platform.IOS,
        interval_seconds=60.0,
        started_at=1000.0,
        duration_seconds=0.5,
        read_at=1000.0,
        tunnels=reading.tunnels,
        events=reading.events,
        error=PollError(device="Site1", stage=Stage.AUTH, reason=Reason.AUTH, cause=cause),
        errors_total=dict.fromkeys(Reason, 0),
    )


def test_the_overview_says_what_is_wrong_and_how_old_the_rest_is() -> None:
    page = client(failed()).get("/").text

    assert "Site1, stage auth: refused" in page
    assert "read 10 s ago" in page
    assert "0 of 1 tunnels up" in page


def test_text_of_a_device_is_text_on_the_page() -> None:
    page = client(failed("<script>alert(1)</script>")).get("/").text

    assert "<script>" not in page
    assert "<b>bold</b>" not in page
    assert "&lt;script&gt;" in page


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = client(failed()).get("/").text

    assert "http://" not in page
    assert "https://" not in page


def test_metrics_are_text_for_prometheus() -> None:
    response = client(failed()).get("/metrics")

    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'cisco_ipsec_device_up{device="Site1"} 0.0' in response.text


def test_the_api_tells_one_device_and_all() -> None:
    every = client(failed()).get("/api/v1/devices").json()
    one = client(failed()).get("/api/v1/devices/Site1").json()

    assert every == {"devices": [one]}
    assert one["error"]["reason"] == "auth"
    assert one["tunnels"][0]["flow"]["kind"] == "Flow"


def test_an_unknown_device_is_404_with_the_known_ones() -> None:
    response = client().get("/api/v1/devices/Site9")

    assert response.status_code == 404
    assert response.json() == {
        "error": "nothing is known of 'Site9' yet; configured devices: Site1"
    }


def test_ready_means_every_device_was_polled() -> None:
    assert client().get("/-/ready").status_code == 503
    assert client(failed()).get("/-/ready").status_code == 200
    assert client().get("/-/healthy").status_code == 200
