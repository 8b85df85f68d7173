"""The runbooks as the service shows them, in a wheel and from the sources."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from ipsecmon.metrics import ExporterFacts
from ipsecmon.store import Store
from ipsecmon.web import WebContext, create_app
from ipsecmon.web.runbooks import Runbooks, runbooks_folder

REPOSITORY = Path(__file__).parents[2]
SOURCES = REPOSITORY / "dashboards" / "runbooks"


@pytest.fixture
def client() -> TestClient:
    context = WebContext(
        store=Store(),
        stale_after={},
        facts=lambda: ExporterFacts(sessions_open=0, jobs_missed=0),
    )
    return TestClient(create_app(context))


def written(folder: Path, text: str, name: str = "Alert") -> str:
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    page = Runbooks(folder).page(name)
    assert page is not None
    return page


def test_every_runbook_of_the_repository_is_served(client: TestClient) -> None:
    for source in SOURCES.glob("Cisco*.md"):
        response = client.get(f"/runbooks/{source.stem}")

        assert response.status_code == 200, source.stem
        assert f">{source.stem}</h1>" in response.text


def test_every_page_lists_all_runbooks(client: TestClient) -> None:
    index = client.get("/runbooks/").text
    page = client.get("/runbooks/CiscoIpsecDeviceUnreachable").text

    assert '<a href="/runbooks/CiscoIpsecExporterDown">CiscoIpsecExporterDown</a>' in index
    assert '<a href="/runbooks/CiscoIpsecExporterDown">CiscoIpsecExporterDown</a>' in page
    assert "README" not in index


def test_the_index_is_found_without_its_last_slash(client: TestClient) -> None:
    assert client.get("/runbooks").url.path == "/runbooks/"


@pytest.mark.parametrize("name", ["NoSuchAlert", "README", "..%2fREADME", "<b>Alert</b>"])
def test_a_name_without_a_runbook_is_answered_with_the_list(client: TestClient, name: str) -> None:
    response = client.get(f"/runbooks/{name}")

    assert response.status_code == 404
    assert "<b>Alert" not in response.text
    assert 'href="/runbooks/CiscoIpsecExporterDown"' in response.text


def test_the_overview_leads_to_the_runbooks(client: TestClient) -> None:
    assert 'href="/runbooks/"' in client.get("/").text


def test_the_pages_load_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/runbooks/CiscoIpsecDeviceUnreachable").text

    assert "src=" not in page
    assert "@import" not in page
    assert '<link rel="icon" href="data:,">' in page


def test_a_link_to_another_runbook_leads_to_its_page(tmp_path: Path) -> None:
    page = written(
        tmp_path, "[one](CiscoIpsecTunnelDown.md), [fix](Other.md#fix), [all](README.md)"
    )

    assert '<a href="/runbooks/CiscoIpsecTunnelDown">one</a>' in page
    assert '<a href="/runbooks/Other#fix">fix</a>' in page
    assert '<a href="/runbooks/">all</a>' in page


def test_a_heading_can_be_linked_to(tmp_path: Path) -> None:
    assert '<h2 id="likely-causes">' in written(tmp_path, "# Alert\n\n## Likely causes\n")


def test_a_file_of_the_repository_is_named_and_not_linked_to(tmp_path: Path) -> None:
    page = written(tmp_path, "see [the guide](../../CONFIGURATION.md#poll) or <https://192.0.2.1/>")

    assert '<span title="CONFIGURATION.md#poll of the repository">the guide</span>' in page
    assert '<a href="https://192.0.2.1/">' in page


def test_a_tag_in_a_page_is_text(tmp_path: Path) -> None:
    page = written(tmp_path, "<script>alert(1)</script>\n\n[x](javascript:alert) <b>bold</b>")

    assert "<script" not in page
    assert "<b>" not in page
    assert 'href="javascript' not in page


def test_a_table_is_a_table(tmp_path: Path) -> None:
    assert "<td>1</td>" in written(tmp_path, "| a |\n|---|\n| 1 |\n")


def test_an_installed_package_has_the_pages_inside(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "ipsecmon"
    (package / "runbooks").mkdir(parents=True)

    assert runbooks_folder(package) == package / "runbooks"


def test_sources_have_the_pages_in_their_repository() -> None:
    assert runbooks_folder(REPOSITORY / "collector" / "ipsecmon") == SOURCES


def test_the_wheel_takes_the_pages_along() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    assert included[str(SOURCES.relative_to(REPOSITORY))] == "ipsecmon/runbooks"


def test_the_pages_that_are_served_are_those_of_the_repository() -> None:
    served = runbooks_folder()

    assert {page.name: page.read_text("utf-8") for page in served.glob("*.md")} == {
        page.name: page.read_text("utf-8") for page in SOURCES.glob("*.md")
    }


def test_every_link_between_the_runbooks_leads_somewhere(client: TestClient) -> None:
    paths = ["/runbooks/", *(f"/runbooks/{source.stem}" for source in SOURCES.glob("Cisco*.md"))]
    pages = {path: client.get(path).text for path in paths}
    broken = [
        f"{path}: {target}#{heading}"
        for path, page in pages.items()
        for target, heading in re.findall(r'href="(/runbooks/\w*)#?([^"]*)"', page)
        if target not in pages or (heading and f'id="{heading}"' not in pages[target])
    ]

    assert broken == []


def test_the_runbook_url_of_every_alert_is_answered(client: TestClient) -> None:
    rules = (REPOSITORY / "dashboards" / "rules" / "ipsecmon.yml").read_text("utf-8")
    urls: list[str] = re.findall(r"runbook_url: ['\"]?([^\s'\"]+)", rules)

    assert "http://127.0.0.1:9818/runbooks/CiscoIpsecExporterDown" in urls
    for url in urls:
        assert client.get(urlsplit(url).path).status_code == 200, url
