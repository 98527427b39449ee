"""Fixtures: a real Apache Kafka for the session, the simulator and workers for each test."""
import os
import pathlib

import pytest
from kafka import Kafka
from simulator import ISSUED, Simulator
from worker import APPIDS, SECRETS, Worker, worker_settings

ROOT = pathlib.Path(__file__).resolve().parents[2]


def process_exists(pid):
    """Whether a process with that id runs."""
    return pathlib.Path(f"/proc/{pid}").exists()


# What no file of the run may hold. Configurations and the folders `secrets` are where tests put secrets themselves.
CANARY = b"canary-"
MOST_OF_A_FILE = 256 * 1024 * 1024


def canaries():
    """All that is secret in this run."""
    return [CANARY, *(secret.encode() for secret in SECRETS.values()), *(token.encode() for token in ISSUED)]


def look_for_canaries(folder):
    """Fails if a secret stands in a file below the folder."""
    wanted = canaries()
    found = []
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.is_symlink() or file.suffix == ".yaml" or "secrets" in file.parts:
            continue
        with file.open("rb") as content:
            text = content.read(MOST_OF_A_FILE)
        found += [str(file) for each in wanted if each in text]
    assert not found, f"a secret stands in {sorted(set(found))}"


@pytest.fixture(scope="session", autouse=True)
def nothing_written_holds_a_secret(tmp_path_factory):
    """At the end: no secret in any log, output or report of any process that any test started."""
    yield
    look_for_canaries(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def kafka():
    """A broker of Apache Kafka $WXCOURIER_KAFKA_VERSION (else dev-kafka's default), on free ports."""
    home = ROOT / "build" / "system-kafka"
    for left in home.glob("*-*") if home.exists() else ():  # Of a run that was killed.
        owner = left.name.rpartition("-")[2]
        if left.is_dir() and owner.isdigit() and not process_exists(owner):
            Kafka.wipe_directory(left)
    version = os.environ.get("WXCOURIER_KAFKA_VERSION")
    broker = Kafka(home / f"{version or 'default'}-{os.getpid()}", version)
    yield broker
    broker.stop()
    try:
        look_for_canaries(broker.directory)  # What stands in the topics, and what the broker said.
    finally:
        broker.wipe()


@pytest.fixture
def topics(kafka):
    """Fresh topics: six partitions of jobs."""
    return kafka.topics()


@pytest.fixture
def simulate(tmp_path):
    """Starts simulators: `simulate("--latency", "5ms")`."""
    started = []

    def start(*arguments):
        started.append(Simulator(tmp_path, f"simulator-{len(started)}", arguments))
        return started[-1]
    yield start
    for each in started:
        each.kill()


@pytest.fixture
def simulator(simulate):
    """A simulator that knows the secrets of the apps `shop` and `mini`."""
    apps = []
    for name, kind in (("shop", "official_account"), ("mini", "mini_program")):
        apps += ["--app", f"{APPIDS[name]}:{SECRETS[name.upper() + '_SECRET']}:{kind}"]
    return simulate(*apps)


@pytest.fixture
def run_worker(tmp_path, kafka):
    """Starts workers: `run_worker(topics, simulator, delivery={"drain_timeout": "2s"})`. Ends those that are left, and
    looks for secrets in whatever they wrote."""
    started = []

    def start(all_topics, simulator, environment=None, **changes):
        settings = worker_settings(kafka.bootstrap, all_topics, simulator, **changes)
        started.append(Worker(tmp_path, f"worker-{len(started)}", settings, environment))
        return started[-1]
    yield start
    for each in started:
        each.kill()
    for each in started:
        written = each.err() + each.out()
        for secret in SECRETS.values():
            assert secret not in written, f"a secret stands in {each.err_file}"


@pytest.fixture
def read(kafka):
    """Opens readers of topics; closes them."""
    opened = []

    def reader(topic):
        opened.append(kafka.reader(topic))
        return opened[-1]
    yield reader
    for each in opened:
        each.close()
