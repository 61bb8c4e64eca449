"""The example for Kubernetes: what can be checked of it without a cluster."""

from __future__ import annotations

import json
import re
import shlex
import sys
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from vieneu_colab_server import ray_app
from vieneu_colab_server.replicas.arguments import RayAppArguments
from vieneu_colab_server.settings import ENV_PREFIX, ServerSettings

FOLDER = Path(__file__).parents[2] / "deploy/ray"
SERVICE, POLICY = yaml.safe_load_all((FOLDER / "rayservice.yaml").read_text("utf-8"))
SERVE: dict[str, Any] = yaml.safe_load(SERVICE["spec"]["serveConfigV2"])
(APP,) = SERVE["applications"]
CLUSTER = SERVICE["spec"]["rayClusterConfig"]
GROUPS = [CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]]
CONTAINERS = [one for group in GROUPS for one in group["template"]["spec"]["containers"]]


def test_the_application_and_its_arguments_are_those_of_the_code() -> None:
    module, _, name = APP["import_path"].partition(":")
    arguments = RayAppArguments.model_validate(APP["args"])

    assert getattr(sys.modules[module], name) is ray_app.build
    assert arguments.max_replicas == CLUSTER["workerGroupSpecs"][0]["maxReplicas"]
    cpus = CLUSTER["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]["resources"]
    assert float(cpus["limits"]["cpu"]) >= arguments.replica_cpus


def test_the_ingress_fits_on_the_head_and_takes_no_room_of_a_replica() -> None:
    arguments = RayAppArguments.model_validate(APP["args"])
    head, *others = (group["rayStartParams"] for group in GROUPS)
    (stated,) = shlex.split(head["resources"])

    assert arguments.ingress_resource in json.loads(stated)
    assert not any("resources" in one for one in others)
    assert float(head["num-cpus"]) == arguments.ingress_replicas * arguments.ingress_cpus


@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: nox -s ray")
def test_the_configuration_is_valid_to_serve() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own, when it is imported
        from ray.serve.schema import ServeDeploySchema

        checked = ServeDeploySchema.model_validate(SERVE)

    assert [one.name for one in checked.applications] == [ray_app.APP_NAME]


def test_every_pod_has_the_settings_and_no_secret_stands_in_the_file() -> None:
    fields = {f"{ENV_PREFIX}{name.upper()}": name for name in ServerSettings.model_fields}
    for container in CONTAINERS:
        environ = {one["name"]: one for one in container["env"]}
        assert environ["RAY_USAGE_STATS_ENABLED"]["value"] == "0"
        ours = {name for name in environ if name.startswith(ENV_PREFIX)}
        assert ours <= fields.keys()
        for name in (f"{ENV_PREFIX}TOKEN", f"{ENV_PREFIX}RATE_LIMIT_STORAGE"):
            assert environ[name].keys() == {"name", "valueFrom"}
    assert not any("token" in str(value).lower() for value in APP["args"].values())


def test_only_the_operator_reaches_the_dashboard() -> None:
    cluster, operator, everybody = POLICY["spec"]["ingress"]

    assert everybody == {"ports": [{"port": SERVE["http_options"]["port"]}]}
    selected = POLICY["spec"]["podSelector"]["matchLabels"]
    assert cluster["from"] == [{"podSelector": {"matchLabels": selected}}]
    assert operator["from"][0]["podSelector"]["matchLabels"] == {
        "app.kubernetes.io/name": "kuberay-operator"
    }


def test_the_pods_run_one_image_with_one_ray() -> None:
    stated = CLUSTER["rayVersion"]
    container = (FOLDER / "Containerfile").read_text("utf-8")

    assert len({one["image"] for one in CONTAINERS}) == 1
    assert CONTAINERS[0]["image"] in container
    assert re.findall(r"rayproject/ray:([\d.]+)-", container) == [stated]
    assert re.findall(r"ray\[serve\]==([\d.]+)", container) == [stated]
    if find_spec("ray") is not None:
        assert version("ray") == stated
