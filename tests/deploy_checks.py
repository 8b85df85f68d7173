"""What we ask of the image, the compose file and Grafana's provisioning, where no tool asks it: each returns what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["compose_faults", "dockerfile_faults", "provisioning_faults"]

Yaml = dict[str, Any]

PORTS = {"ipsecmon": 9818, "lab": 9818, "prometheus": 9090, "alertmanager": 9093, "grafana": 3000}
SILENT = {"webhook"}  # asked by Alertmanager only: publishes no port
ON_LOOPBACK = re.compile(r"127\.0\.0\.1:(\d+):(\d+)")
PINNED = re.compile(r"[a-z0-9/_-]+:v?\d+\.\d+\.\d+[\w.-]*")
NUMERIC_USER = re.compile(r"[1-9]\d*:\d+")


def dockerfile_faults(text: str) -> list[str]:
    """Of a Dockerfile: what a reviewer of ours would send back and hadolint lets pass."""
    return list(_dockerfile_faults(text))


def _dockerfile_faults(text: str) -> Iterator[str]:
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    words: list[tuple[str, str]] = []
    for line in lines:
        keyword, _, rest = line.partition(" ")
        if keyword.isupper():
            words.append((keyword, rest.strip()))
    for image in (rest.split()[0] for keyword, rest in words if keyword == "FROM"):
        if not PINNED.fullmatch(image):
            yield f"the image {image} is not pinned to a release, or names a registry"
    last = max(number for number, (keyword, _) in enumerate(words) if keyword == "FROM")
    stage: dict[str, str] = dict(words[last:])
    for keyword in ("USER", "HEALTHCHECK", "ENTRYPOINT", "CMD", "VOLUME", "EXPOSE"):
        if keyword not in stage:
            yield f"the last stage has no {keyword}"
    if not NUMERIC_USER.fullmatch(stage.get("USER", "")):
        yield f"USER is {stage.get('USER')}, expected numbers other than 0"
    if "/-/healthy" not in stage.get("HEALTHCHECK", ""):
        yield "HEALTHCHECK does not ask /-/healthy"
    if str(PORTS["ipsecmon"]) not in (stage.get("EXPOSE"), stage.get("EXPOSE", "").split("/")[0]):
        yield f"EXPOSE is {stage.get('EXPOSE')}, expected {PORTS['ipsecmon']}"
    installs = [rest for keyword, rest in words if keyword == "RUN" and "pip install" in rest]
    for command in (part for rest in installs for part in rest.split("&&")):
        if "pip install" in command and not {"--require-hashes", "--no-deps"} & set(
            command.split()
        ):
            yield f"{command.strip()}: neither hashes nor --no-deps"


def compose_faults(document: Yaml, folder: Path) -> list[str]:
    """Of a compose file in ``folder``."""
    return list(_compose_faults(document, folder))


def _compose_faults(document: Yaml, folder: Path) -> Iterator[str]:
    services: Yaml = document["services"]
    missing = (PORTS.keys() | SILENT) - services.keys()
    if missing:
        yield f"no service {', '.join(sorted(missing))}"
    for name, service in services.items():
        for fault in _service_faults(name, service):
            yield f"{name}: {fault}"
        for fault in _mount_faults(service, document, folder):
            yield f"{name}: {fault}"
    mounted = {_volume(volume)[0] for service in services.values() for volume in _volumes(service)}
    for name in document["volumes"].keys() - mounted:
        yield f"the volume {name} is mounted nowhere"


def _service_faults(name: str, service: Yaml) -> Iterator[str]:
    if service.get("read_only") is not True:
        yield "the root file system can be written"
    if service.get("cap_drop") != ["ALL"] or "cap_add" in service:
        yield "not all capabilities are dropped"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "new privileges can be had"
    if service.get("privileged") or service.get("network_mode") == "host":
        yield "it shares the machine's network or is privileged"
    if not NUMERIC_USER.fullmatch(str(service.get("user"))):
        yield f"user is {service.get('user')}, expected numbers other than 0"
    if not PINNED.fullmatch(service.get("image", "")):
        yield f"the image {service.get('image')} is not pinned to a release, or names a registry"
    if not service.get("healthcheck", {}).get("test"):
        yield "no health check"
    if "restart" not in service:
        yield "it stays down after a crash"
    expected = {(PORTS[name], PORTS[name])} if name in PORTS else set[tuple[int, int]]()
    found = [(port, ON_LOOPBACK.fullmatch(port)) for port in service.get("ports", [])]
    for port, match in found:
        if match is None:
            yield f"the port {port} is not published on the loopback address"
    if {(int(match[1]), int(match[2])) for _, match in found if match} != expected:
        yield f"it publishes {service.get('ports')}, expected {sorted(expected)}"
    for key, value in service.get("environment", {}).items():
        if re.search(r"PASSWORD$|TOKEN$|SECRET$|KEY$", key):
            yield f"the secret {key} is in the environment: {'*' * len(str(value))}"


def _volumes(service: Yaml) -> list[str]:
    volumes: list[str] = service.get("volumes", [])
    return volumes


def _volume(text: str) -> tuple[str, str, bool]:
    """Source, target, and whether it is read-only."""
    source, target, *options = text.split(":")
    return source, target, options == ["ro"]


def _mount_faults(service: Yaml, document: Yaml, folder: Path) -> Iterator[str]:
    for source, target, is_read_only in map(_volume, _volumes(service)):
        if source.startswith("."):
            if not (folder / source).exists():
                yield f"{source} does not exist"
            if not is_read_only:
                yield f"{source} can be written from the container"
        elif source not in document["volumes"]:
            yield f"the volume {source} is not declared"
        if not target.startswith("/"):
            yield f"{target} is no absolute path"
    for secret in service.get("secrets", []):
        file = document.get("secrets", {}).get(secret, {}).get("file", "")
        if not file.startswith("./secrets/"):
            yield f"the secret {secret} is not a file in secrets/"


def provisioning_faults(sources: Yaml, dashboards: Yaml, compose: Yaml) -> list[str]:
    """Of Grafana's two provisioning files, which must fit the compose file."""
    return list(_provisioning_faults(sources, dashboards, compose))


def _provisioning_faults(sources: Yaml, dashboards: Yaml, compose: Yaml) -> Iterator[str]:
    allowed = {"name", "uid", "type", "access", "url", "isDefault", "editable", "jsonData"}
    for document in (sources, dashboards):
        if document.get("apiVersion") != 1:
            yield f"apiVersion is {document.get('apiVersion')}, expected 1"
    for source in sources["datasources"]:
        if source.keys() - allowed:
            yield f"unknown keys of a data source: {sorted(source.keys() - allowed)}"
        if (source.get("uid"), source.get("type")) != ("prometheus", "prometheus"):
            yield "the data source is not prometheus/prometheus"
        match = re.fullmatch(r"http://(\w+):(\d+)", source.get("url", ""))
        if match is None or PORTS.get(match[1]) != int(match[2]):
            yield f"the data source's url {source.get('url')} is no service and port of compose.yaml"
    mounts = {_volume(volume)[1] for volume in _volumes(compose["services"]["grafana"])}
    if "/etc/grafana/provisioning" not in mounts:
        yield "the provisioning is not mounted where Grafana looks for it"
    allowed = {"name", "type", "folder", "folderUid", "disableDeletion", "allowUiUpdates"}
    allowed |= {"updateIntervalSeconds", "options"}
    for provider in dashboards["providers"]:
        if provider.keys() - allowed:
            yield f"unknown keys of a provider: {sorted(provider.keys() - allowed)}"
        if provider.get("type") != "file" or provider.get("folder") != "ipsecmon":
            yield "the provider is not one of files into the folder ipsecmon"
        if provider.get("options", {}).get("path") not in mounts:
            yield f"dashboards are read from {provider.get('options')}, which is not mounted"
