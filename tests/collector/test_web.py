"""The pages and the API, without a network."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from factories import flow
from ipsecmon.metrics import ExporterFacts, render_result
from ipsecmon.model import (
    Event,
    EventKind,
    Evidence,
    ExpectedTunnel,
    Link,
    LinkProof,
    Loss,
    PollError,
    PollResult,
    Reason,
    Stage,
    Status,
    TunnelMemory,
    TunnelOption,
)
from ipsecmon.store import Store
from ipsecmon.web import WebContext, create_app
from ipsecmon_parsers.records import Platform
from metrics_fleet import SESSION, tunnel


def context(*results: PollResult) -> WebContext:
    store = Store()
    for one in results:
        store.put(one, render_result(one))
    return WebContext(
        store=store,
        stale_after={"Site1": 180.0, **{one.device: 180.0 for one in results}},
        facts=lambda: ExporterFacts(sessions_open=0, jobs_missed=0),
        clock=lambda: 1010.0,
    )


def client(*results: PollResult) -> TestClient:
    return TestClient(create_app(context(*results)))


def failed(cause: str = "refused", **changes: object) -> PollResult:
    made = tunnel(
        name="<b>bold</b>/10.1.1.0_24-10.2.2.0_24",
        flow=flow(crypto_map="<b>bold</b>"),
        memory=TunnelMemory(first_seen_at=900.0, peers=("123.1.1.2",)),
        seen_at=1000.0,
    )
    new = Event(kind=EventKind.NEW, device="Site1", tunnel=made.name, at=1000.0, detail="new")
    result = PollResult(
        device="Site1",
        host="192.0.2.1",
        platform=Platform.IOS,
        interval_seconds=60.0,
        started_at=1000.0,
        duration_seconds=0.5,
        read_at=1000.0,
        tunnels=(made,),
        events=(new,),
        error=PollError(device="Site1", stage=Stage.AUTH, reason=Reason.AUTH, cause=cause),
        errors_total=dict.fromkeys(Reason, 0),
    )
    return replace(result, **changes)  # type: ignore[arg-type] # fields of PollResult by name


def test_the_overview_says_what_is_wrong_and_how_old_the_rest_is() -> None:
    page = client(failed()).get("/").text

    assert "Site1, stage auth: refused" in page
    assert "read 10 s ago" in page
    assert "0 of 1 tunnels up, 1 unknown" in page


def test_text_of_a_device_is_text_on_the_page() -> None:
    page = client(failed("<script>alert(1)</script>")).get("/").text

    assert "<script>" not in page
    assert "<b>bold</b>" not in page
    assert "&lt;script&gt;" in page


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = client(failed()).get("/").text

    assert "http://" not in page
    assert "https://" not in page


def test_a_tunnel_that_is_neither_up_nor_down_is_not_shown_as_down() -> None:
    standby = tunnel(status=Status.STANDBY)
    page = client(failed(error=None, tunnels=(standby,))).get("/").text

    assert '<td class="dim">standby</td>' in page
    assert "unknown" not in page


def test_the_page_says_what_a_tunnel_is_meant_to_be_and_why() -> None:
    page = client(failed()).get("/").text

    assert '<td title="a static crypto map entry">on demand</td>' in page


def test_what_happened_to_a_whole_device_is_shown_without_a_tunnel() -> None:
    event = Event(
        kind=EventKind.UNREACHABLE, device="Site1", tunnel=None, at=1000.0, detail="no answer"
    )
    page = client(failed(events=(event,))).get("/").text

    assert '<td class="bad">no answer</td>' in page
    assert "None" not in page


# --- metrics --------------------------------------------------------------------------------------------------


def test_metrics_are_text_for_who_asks_for_nothing_else() -> None:
    response = client(failed()).get("/metrics", headers={"accept-encoding": "identity"})

    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "content-encoding" not in response.headers
    assert 'cisco_ipsec_device_up{device="Site1"} 0.0' in response.text
    assert "# TYPE cisco_ipsec_device_collect_errors_total counter" in response.text
    assert "# EOF" not in response.text


def test_metrics_are_openmetrics_for_who_asks_for_it() -> None:
    accept = "application/openmetrics-text; version=1.0.0"
    response = client(failed()).get("/metrics", headers={"accept": accept})

    assert response.headers["content-type"] == (
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    )
    assert "# TYPE cisco_ipsec_device_collect_errors counter" in response.text
    assert "# TYPE cisco_ipsec_device info" in response.text
    assert response.text.endswith("# EOF\n")


def test_metrics_are_compressed_for_who_accepts_it() -> None:
    with client(failed()).stream("GET", "/metrics", headers={"accept-encoding": "gzip"}) as sent:
        raw = b"".join(sent.iter_raw())

    assert sent.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in sent.headers["vary"]
    plain = client(failed()).get("/metrics", headers={"accept-encoding": "identity"}).content
    assert gzip.decompress(raw) == plain
    assert len(raw) < len(plain) / 2


def test_metrics_of_one_device_are_its_own_and_nothing_of_the_exporter() -> None:
    both = client(failed(), failed(device="Site2", tunnels=()))
    text = both.get("/metrics", params={"device": "Site2"}).text

    assert 'cisco_ipsec_device_up{device="Site2"} 0.0' in text
    assert "Site1" not in text
    assert "_exporter_" not in text
    assert "_exporter_" in both.get("/metrics").text


def test_metrics_of_a_device_not_polled_yet_are_empty() -> None:
    response = client().get("/metrics", params={"device": "Site1"})

    assert (response.status_code, response.text) == (200, "")


@pytest.mark.parametrize("name", ["Site9", "", "site1"])
def test_metrics_of_an_unknown_device_are_404_with_the_known_ones(name: str) -> None:
    response = client(failed(device="Site2")).get("/metrics", params={"device": name})

    assert response.status_code == 404
    assert response.text == f"there is no device {name!r}; configured devices: Site1, Site2\n"


# --- the API --------------------------------------------------------------------------------------------------


def test_the_api_tells_one_device_and_all() -> None:
    every = client(failed()).get("/api/v1/devices").json()
    one = client(failed()).get("/api/v1/devices/Site1").json()

    assert every == {"devices": [one]}
    assert one["error"]["reason"] == "auth"
    assert one["tunnels"][0]["flow"]["kind"] == "Flow"
    assert one["tunnels"][0]["status"] == "unknown"
    assert one["tunnels"][0]["intent"] == "on_demand"


def test_the_api_quotes_the_evidence_of_an_event() -> None:
    line = Evidence(command="show crypto ipsec sa", line_no=7, text="current outbound spi: 0x0(0)")
    event = Event(
        kind=EventKind.DOWN,
        device="Site1",
        tunnel="a",
        at=1000.0,
        detail="down",
        facts={"old_spi": 5},
        evidence=(line,),
    )
    document = client(failed(events=(event,))).get("/api/v1/devices/Site1").json()

    assert document["events"][0]["facts"] == {"old_spi": 5}
    assert document["events"][0]["evidence"] == [
        {
            "command": "show crypto ipsec sa",
            "line_no": 7,
            "text": "current outbound spi: 0x0(0)",
            "read_at": None,
        }
    ]


def test_the_api_tells_the_other_end_and_the_owner_of_a_tunnel() -> None:
    result = failed()
    owned = ExpectedTunnel(
        device="Site1",
        name="a",
        owner="netops",
        site="Berlin",
        options=frozenset({TunnelOption.UNIDIRECTIONAL, TunnelOption.BACKUP}),
    )
    link = Link(
        device="Site1",
        tunnel=result.tunnels[0].name,
        remote_device="Site2",
        remote_tunnel="there",
        proof=LinkProof.SPI_PAIR,
        is_spi_pair_matched=True,
        sent_loss=Loss(ratio=0.02, error=0.002, packets=5000, seconds=700.0),
    )
    tunnel = replace(result.tunnels[0], expected=owned)
    shown = replace(result, tunnels=(tunnel, *result.tunnels[1:]), links=(link,))
    document = client(shown).get("/api/v1/devices/Site1").json()

    assert document["tunnels"][0]["owner"] == "netops"
    assert document["tunnels"][0]["options"] == ["backup", "unidirectional"]
    assert document["links"][0]["remote_device"] == "Site2"
    assert document["links"][0]["sent_loss"]["ratio"] == 0.02
    assert document["links"][0]["received_loss"] is None


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


def test_a_failing_device_shows_its_last_words_and_when_it_is_tried_again() -> None:
    error = PollError(
        device="Site1",
        stage=Stage.COMMAND,
        reason=Reason.TIMEOUT,
        cause="silent",
        evidence="<script>% Bad",
    )
    page = client(failed(error=error, next_attempt_at=1130.0)).get("/").text

    assert "Site1, stage command: silent. Tried again in 120 s." in " ".join(page.split())
    assert "<code>&lt;script&gt;% Bad</code>" in page


def test_the_page_shows_how_old_a_session_is_and_what_is_weak_about_it() -> None:
    session = replace(SESSION, opened_at=1010.0 - 3600, weak=("ssh-rsa", "3des-cbc"))
    page = client(failed(session=session)).get("/").text
    unverified = client(failed(session=replace(session, is_host_key_verified=False))).get("/").text

    assert "logged in 60 min ago, SSH-2.0-Cisco-1.25" in page
    assert "weak: ssh-rsa, 3des-cbc" in page
    assert "host key not verified" not in page
    assert "host key not verified" in unverified


def test_a_good_device_shows_no_word_of_failure() -> None:
    page = client(failed(error=None)).get("/").text

    assert "Tried again" not in page
    assert "The last it sent" not in page
    assert "weak:" not in page


def test_a_device_that_comes_later_does_not_end_readiness() -> None:
    watched = context(failed())
    asked = TestClient(create_app(watched))
    assert asked.get("/-/ready").status_code == 200

    watched.stale_after = {**watched.stale_after, "Site2": 180.0}
    assert asked.get("/-/ready").status_code == 200


def test_a_device_that_is_gone_is_scraped_no_more() -> None:
    watched = context(failed())
    watched.stale_after = {}

    assert "Site1" not in TestClient(create_app(watched)).get("/metrics").text


def test_without_a_configuration_file_there_is_nothing_to_read_again() -> None:
    assert client().post("/-/reload").status_code == 500
