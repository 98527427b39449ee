"""What the container image holds, run without a container engine: its root file system in a chroot."""
import os
import re
import shutil
import subprocess

import pytest
import yaml
from documents import ROOT

COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def image(program, tmp_path_factory):
    """The image's root."""
    root = tmp_path_factory.mktemp("image") / "root"
    subprocess.run([ROOT / "deploy" / "image-root", program, root], check=True)
    root.chmod(0o755)
    for parent in root.parents:  # Reachable for the image's user.
        if parent.stat().st_uid == os.getuid() and parent != parent.parent:
            parent.chmod(parent.stat().st_mode | 0o011)
    return root


def in_image(root, *arguments):
    """Runs a program of the image as its user."""
    inside = ["chroot", "--userspec=65532:65532", root] if os.getuid() == 0 else ["unshare", "-r", "chroot", root]
    return subprocess.run([*inside, *arguments], capture_output=True, text=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, timeout=120, check=False)


def test_the_program_runs_in_it_as_nobody_in_particular(image):
    ran = in_image(image, "/usr/bin/wxcourier", "version")
    if "Operation not permitted" in ran.stderr and os.getuid() != 0:
        pytest.skip(f"NOT CHECKED: no chroot here: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("wxcourier ")


def test_all_of_it_works_there(image):
    """The demo needs Kafka's client, TLS, JSON, YAML, the listener: all libraries, the loader."""
    ran = in_image(image, "/usr/bin/wxcourier", "demo")
    if "Operation not permitted" in ran.stderr and os.getuid() != 0:
        pytest.skip("NOT CHECKED: no chroot here")
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]


def test_it_holds_nothing_to_break_in_with(image):
    files = [path for path in image.rglob("*") if path.is_file() and not path.is_symlink()]
    executables = [path for path in files if os.access(path, os.X_OK) and ".so" not in path.name]
    assert [path.relative_to(image).as_posix() for path in executables] == ["usr/bin/wxcourier"]
    assert not [path for path in files if path.stat().st_mode & 0o6002], "set-user-id, or anybody may write"
    assert sum(path.stat().st_size for path in files) < 60_000_000


def test_it_trusts_the_systems_authorities(image):
    bundle = (image / "etc/ssl/certs/ca-certificates.crt").read_text(encoding="utf-8")
    assert bundle.count("BEGIN CERTIFICATE") > 50
    assert (image / "usr/lib/ssl/cert.pem").readlink().as_posix() == "/etc/ssl/certs/ca-certificates.crt"


def test_the_dockerfile_builds_that():
    text = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
    last = text[text.rindex("FROM "):]
    assert last.startswith("FROM scratch\n")
    assert re.search(r"^USER 65532:65532$", last, re.MULTILINE) and "STOPSIGNAL SIGTERM" in last
    assert 'ENTRYPOINT ["/usr/bin/wxcourier"]' in last, "the exec form: signals reach the program"
    for copied in re.findall(r"^RUN (?:--\S+ )?((?:scripts|deploy)/\S+)", text, re.MULTILINE):
        assert os.access(ROOT / copied, os.X_OK), copied


def test_compose_mounts_what_there_is():
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / "deploy" / source).exists(), f"{name}: {source}"


def test_compose_gives_the_worker_time_to_drain_and_no_rights():
    worker = COMPOSE["services"]["worker"]
    assert int(worker["stop_grace_period"].removesuffix("s")) > 20 + 10
    assert worker["read_only"] and worker["cap_drop"] == ["ALL"]


def test_composes_configuration_is_accepted(accepts):
    accepts(ROOT / "deploy/compose/wxcourier/wxcourier.yaml")


def test_docker_compose_takes_the_file():
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True,
                                                    check=False).returncode != 0:
        pytest.skip("NOT CHECKED: no docker compose here")
    subprocess.run(["docker", "compose", "-f", ROOT / "deploy/compose.yaml", "--profile", "monitoring", "config", "-q"],
                   check=True)
