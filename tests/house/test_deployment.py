"""The compose file and the image keep what is said of them: walls, secrets, pinned images, known settings."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from shared import metrics
from shared.settings import Settings, env_names
from tests.house.compose import REQUIRED, ROLES, STORES, MissingVariable, load
from tests.house.tree import ROOT, SOURCE

SECRETS = {name: f"secret{number}" for number, name in enumerate(REQUIRED)}
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
ENTRYPOINT = (ROOT / "deploy" / "entrypoint").read_text(encoding="utf-8")


@pytest.fixture
def compose() -> dict[str, Any]:
    return load(SECRETS)


def valid(document: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask the schema of the compose specification."""
    path = folder / "compose.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    command = ["-P", "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, timeout=60)


def test_file_follows_the_compose_specification(compose: dict[str, Any], tmp_path: Path) -> None:
    """Names, types and allowed words are those of the specification's schema."""
    result = valid(compose, tmp_path)

    assert result.returncode == 0, result.stdout


def test_specification_check_can_fail(compose: dict[str, Any], tmp_path: Path) -> None:
    """A wrong word is refused."""
    compose["services"]["api"]["depends_on"]["redis"]["condition"] = "service_awake"

    assert valid(compose, tmp_path).returncode == 1


def test_every_reference_resolves(compose: dict[str, Any]) -> None:
    """Networks, volumes and services that are named exist."""
    for service in compose["services"].values():
        assert set(service["networks"]) <= set(compose["networks"])
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        assert {mount.split(":")[0] for mount in service.get("volumes", [])} <= set(compose["volumes"])


@pytest.mark.parametrize("name", REQUIRED)
def test_nothing_starts_without_its_secret(name: str) -> None:
    """No default password: each secret must be set by the operator, and the example file lists it."""
    with pytest.raises(MissingVariable, match=f"{name}: set {name}"):
        load({key: value for key, value in SECRETS.items() if key != name})

    assert f"\n{name}=\n" in (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")


def test_stores_are_authenticated_and_behind_the_wall(compose: dict[str, Any]) -> None:
    """Postgres, Redis and Qdrant ask for a secret and are reachable from the internal network only."""
    services = compose["services"]

    assert compose["networks"]["internal"] == {"internal": True}
    for name in STORES:
        assert services[name]["networks"] == ["internal"]
        assert "ports" not in services[name]
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"] == SECRETS["POSTGRES_PASSWORD"]
    assert "scram-sha-256" in services["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    assert "requirepass $REDIS_PASSWORD" in services["redis"]["command"][-1]
    assert services["qdrant"]["environment"]["QDRANT__SERVICE__API_KEY"] == SECRETS["QDRANT_API_KEY"]


def test_secrets_are_not_on_command_lines(compose: dict[str, Any]) -> None:
    """A command line is seen by everyone who may list processes."""
    for service in compose["services"].values():
        words = json.dumps([service.get("command"), service.get("healthcheck", {}).get("test")])
        assert not any(secret in words for secret in SECRETS.values())


def test_only_the_api_is_published_and_only_on_this_machine(compose: dict[str, Any]) -> None:
    """What leaves the machine goes through the operator's TLS proxy."""
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}

    assert published == {"api": ["127.0.0.1:8000:8000"]}


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    """Every image has a version tag; the base image of ours too."""
    images = [service["image"] for service in compose["services"].values()]
    base = re.search(r"^ARG PYTHON=(\S+)$", DOCKERFILE, re.MULTILINE)

    assert all(re.search(r":v?\d", image) for image in images)
    assert base is not None
    assert re.match(r"3\.\d+-slim", base[1])


def test_our_roles_run_without_privileges(compose: dict[str, Any]) -> None:
    """No root, no capabilities, nothing writable but /tmp."""
    assert re.search(r"^USER \d{5}:\d{5}$", DOCKERFILE, re.MULTILINE)
    for role in ROLES:
        service = compose["services"][role]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["tmpfs"] == ["/tmp"]
    assert all(s["security_opt"] == ["no-new-privileges:true"] for s in compose["services"].values())


def test_roles_are_the_entrypoints(compose: dict[str, Any]) -> None:
    """Each role's command is one the entrypoint knows, and the schema is migrated before anything serves."""
    for role in ROLES:
        assert compose["services"][role]["command"] == [role]
        assert re.search(rf"^    ({role}\)|{role} \|)", ENTRYPOINT, re.MULTILINE)
    for role in ("api", "worker"):
        assert compose["services"][role]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_settings_in_the_files_exist(compose: dict[str, Any]) -> None:
    """A misspelt variable would be ignored silently."""
    known = {env for name, field in Settings.model_fields.items() for env in env_names(name, field)}
    given = {name for role in ROLES for name in compose["services"][role]["environment"]}
    used = set(re.findall(r"\b(?:FLUMES|OPENAI)_[A-Z_]+\b", DOCKERFILE + ENTRYPOINT))

    assert given | used <= known | {"FLUMES_READY_FILE"}


def test_image_holds_the_product_and_nothing_else() -> None:
    """The four packages, the entrypoint and the locked dependencies; the build context is limited to them."""
    copied = set(re.findall(r"^COPY (?:--chmod=\d+ )?([\w/.]+) ", DOCKERFILE, re.MULTILINE))
    allowed = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))

    assert copied == {*SOURCE, "deploy/entrypoint", "deploy/runtime.lock"}
    assert allowed == copied


def test_worker_may_finish_its_windows(compose: dict[str, Any]) -> None:
    """The container is killed only after the grace the worker gives its windows."""
    grace = Settings.model_fields["grace"].default

    assert int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s")) > grace + 5


def test_alerts_and_panels_watch_series_that_exist() -> None:
    """Every metric named by Prometheus rules or the Grafana board is one the service exports."""
    watched = "".join(
        (ROOT / "deploy" / name).read_text("utf-8") for name in ("prometheus/alerts.yml", "grafana/flumes.json")
    )
    exported = {family.name for family in REGISTRY.collect()}
    named = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in re.findall(r"\bflumes_\w+", watched)}

    assert metrics.PENDING is not None
    assert named <= exported


def test_kubernetes_runs_the_same_roles() -> None:
    """The manifests run the entrypoint's roles, unprivileged, on the image the compose file builds."""
    manifests = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/flumes.yaml").read_text(encoding="utf-8")))
    pods = [manifest["spec"]["template"]["spec"] for manifest in manifests if "template" in manifest["spec"]]
    containers = [container for pod in pods for container in pod["containers"]]

    assert sorted(container["args"][0] for container in containers) == sorted(ROLES)
    assert {container["image"] for container in containers} == {load(SECRETS)["services"]["api"]["image"]}
    assert all(container["securityContext"]["readOnlyRootFilesystem"] for container in containers)
    assert all(pod["securityContext"]["runAsNonRoot"] for pod in pods)


def test_what_serves_does_not_know_the_owner_of_the_tables(compose: dict[str, Any]) -> None:
    """API and workers log in as another role, with another password; only the migration has the owner's."""
    owner = SECRETS["POSTGRES_PASSWORD"]
    knowing = {role for role in ROLES if owner in json.dumps(compose["services"][role]["environment"])}

    assert knowing == {"migrate"}
    for role in ROLES:
        assert "//flumes_app:" in compose["services"][role]["environment"]["FLUMES_DATABASE_URL"]
