"""The manifests are what the chart says, fit the Kubernetes API, and keep the worker's promises."""
import json
import re
import subprocess

import jsonschema
import kubernetes_validate
import pytest
import yaml
from documents import ROOT

PAGES = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
MANIFESTS = {page.stem: [each for each in yaml.safe_load_all(page.read_text(encoding="utf-8")) if each] for page in PAGES}
# Kubernetes of three years.
VERSIONS = ("1.27.0", "1.30.0", "1.33.0", "1.36.0")
CUSTOM = {"ServiceMonitor": "servicemonitor.schema.json", "ScaledObject": "scaledobject.schema.json"}
WORKLOADS = ("Deployment", "StatefulSet")


def every(*kinds):
    """(values file, object) of these kinds, for parametrize."""
    return [pytest.param(name, each, id=f"{name}-{each['kind']}")
            for name, objects in MANIFESTS.items() for each in objects if not kinds or each["kind"] in kinds]


def of(name, *kinds):
    """The one object of these kinds."""
    found = [each for each in MANIFESTS[name] if each["kind"] in kinds]
    assert len(found) == 1, f"{name} has {len(found)} of {kinds}"
    return found[0]


def config_of(name):
    """The worker's configuration in a ConfigMap."""
    return yaml.safe_load(of(name, "ConfigMap")["data"]["wxcourier.yaml"])


def seconds(duration):
    """A duration of the configuration."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m)", duration).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]


def test_every_values_file_is_rendered():
    assert set(MANIFESTS) == {path.stem for path in (ROOT / "deploy/helm/values").glob("*.yaml")}


def test_the_manifests_are_what_the_chart_says():
    ran = subprocess.run([ROOT / "scripts" / "manifests", "--check"], capture_output=True, text=True, check=False)
    if ran.returncode == 3:
        pytest.skip(f"NOT CHECKED: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("_, manifest", every())
def test_the_api_takes_it_strictly(_, manifest, version):
    if manifest["kind"] in CUSTOM:
        schema = json.loads((ROOT / "tests/deploy/schemas" / CUSTOM[manifest["kind"]]).read_text())
        jsonschema.Draft202012Validator(schema).validate(manifest)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_configuration_is_accepted(name, accepts, tmp_path):
    file = tmp_path / "wxcourier.yaml"
    file.write_text(of(name, "ConfigMap")["data"]["wxcourier.yaml"])
    accepts(file, POD_NAME="wxcourier-0")


@pytest.mark.parametrize("name, workload", every(*WORKLOADS))
def test_there_is_time_to_drain(name, workload):
    limit = seconds(config_of(name).get("delivery", {}).get("drain_timeout", "20s"))
    assert workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= limit + 10


@pytest.mark.parametrize("name, workload", every(*WORKLOADS))
def test_the_pod_is_locked_down(name, workload):
    pod = workload["spec"]["template"]["spec"]
    container, = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                            "capabilities": {"drop": ["ALL"]}}
    assert "memory" in container["resources"]["limits"] and "cpu" in container["resources"]["requests"]


@pytest.mark.parametrize("name, workload", every(*WORKLOADS))
def test_files_are_mounted_as_directories_where_the_configuration_looks(name, workload):
    pod = workload["spec"]["template"]["spec"]
    mounts = pod["containers"][0]["volumeMounts"]
    assert not [mount for mount in mounts if "subPath" in mount], "Kubernetes never renews a single file"
    folders = [mount["mountPath"] for mount in mounts]
    assert pod["containers"][0]["args"][-1].rpartition("/")[0] in folders
    for path in re.findall(r"(?:file|ca.location): (/\S+)", of(name, "ConfigMap")["data"]["wxcourier.yaml"]):
        assert path.rpartition("/")[0] in folders, f"{path} is not mounted"
    assert {mount["name"] for mount in mounts} == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("name, workload", every(*WORKLOADS))
def test_the_probes_ask_the_listener(name, workload):
    container, = workload["spec"]["template"]["spec"]["containers"]
    port = int(config_of(name)["http"]["listen"].rpartition(":")[2])
    assert container["ports"][0] == {"name": "http", "containerPort": port, "protocol": "TCP"}
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        assert container[probe]["httpGet"] == {"path": path, "port": "http"}
    silence = 60  # /livez itself waits that long before it calls a client hung.
    assert container["livenessProbe"]["periodSeconds"] * container["livenessProbe"]["failureThreshold"] >= silence


@pytest.mark.parametrize("name, workload", every(*WORKLOADS))
def test_the_admin_listener_is_reached_by_whom_the_values_name_alone(name, workload):
    values = yaml.safe_load((ROOT / f"deploy/helm/values/{name}.yaml").read_text())
    wanted = values.get("admin", {})
    allowed = values.get("networkPolicy", {}).get("adminFrom", [])
    admin = config_of(name).get("admin")
    ports = [port["name"] for port in workload["spec"]["template"]["spec"]["containers"][0]["ports"]]
    rules = [rule for rule in of(name, "NetworkPolicy")["spec"]["ingress"] if rule["ports"][0]["port"] != "http"]
    assert [port["name"] for port in of(name, "Service")["spec"]["ports"]] == ["http"], "it is in no Service"
    if not wanted.get("enabled"):
        assert admin is None and ports == ["http"] and not rules
        return
    volume, = [each for each in workload["spec"]["template"]["spec"]["volumes"] if each["name"] == "admin-token"]
    assert volume["secret"]["secretName"] == "wxcourier-admin", "a Secret of its own"
    assert admin["token"] == {"file": "/run/secrets/wxcourier-admin/token"}
    if wanted.get("exposed"):
        assert admin["listen"] == "0.0.0.0:8081" and ports == ["http", "admin"]
        assert rules == [{"from": allowed, "ports": [{"port": "admin", "protocol": "TCP"}]}] and allowed
    else:
        assert admin["listen"] == "127.0.0.1:8081" and ports == ["http"] and not rules


def test_some_values_have_an_admin_listener_of_either_sort():
    listens = {config_of(name)["admin"]["listen"] for name in MANIFESTS if "admin" in config_of(name)}
    assert listens == {"127.0.0.1:8081", "0.0.0.0:8081"}


@pytest.mark.parametrize("name, workload", every(*WORKLOADS))
def test_selectors_find_the_pods(name, workload):
    labels = workload["spec"]["template"]["metadata"]["labels"].items()
    selectors = [workload["spec"]["selector"]["matchLabels"], of(name, "Service")["spec"]["selector"],
                 of(name, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
                 of(name, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]]
    selectors += [each["labelSelector"]["matchLabels"]
                  for each in workload["spec"]["template"]["spec"]["topologySpreadConstraints"]]
    for selector in selectors:
        assert selector and selector.items() <= labels


def test_a_stateful_sets_replicas_are_static_members():
    workload = of("static-membership", "StatefulSet")
    assert config_of("static-membership")["kafka"]["properties"]["group.instance.id"] == "${POD_NAME}"
    assert workload["spec"]["serviceName"] == of("static-membership", "Service")["metadata"]["name"]
    assert workload["spec"]["template"]["spec"]["containers"][0]["env"][0] == {
        "name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}


@pytest.mark.parametrize("name", ["hpa", "keda"])
def test_an_autoscaler_keeps_to_partitions_and_rate(name):
    values = yaml.safe_load((ROOT / f"deploy/helm/values/{name}.yaml").read_text())
    scaler = of(name, "HorizontalPodAutoscaler", "ScaledObject")["spec"]
    most = scaler.get("maxReplicas", scaler.get("maxReplicaCount"))
    rate = sum(app["rate"]["per_second"] for app in values["config"]["apps"])
    assert most == min(values["autoscaling"]["maxReplicas"], values["autoscaling"]["partitions"], -(-rate // 2000))
    workload = of(name, *WORKLOADS)
    assert "replicas" not in workload["spec"], "the autoscaler owns the number"
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": workload["kind"],
                                        "name": workload["metadata"]["name"]}


def test_keda_asks_for_each_jobs_topic():
    triggers = of("keda", "ScaledObject")["spec"]["triggers"]
    assert [trigger["metadata"]["topic"] for trigger in triggers] == ["push.jobs", "push.campaigns"]


def test_a_misspelt_field_would_be_found():
    workload = json.loads(json.dumps(of("minimal", "Deployment")))
    workload["spec"]["template"]["spec"]["terminationGracePeriodSecond"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(workload, VERSIONS[-1], strict=True)
