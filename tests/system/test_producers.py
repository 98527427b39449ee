# SPDX-License-Identifier: Apache-2.0
"""The programs of docs/producers.md, taken from the page, built and run: a worker sends what they produce."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from statuses import StatusLog

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/kafka"))
import dev_kafka  # noqa: E402
PAGE = (ROOT / "docs/producers.md").read_text(encoding="utf-8")
OPENID = "o_rbq1TOgERuflYd7PsiE9H565Oo"
FRANZ = "github.com/twmb/franz-go/pkg/kgo@v1.18.1"


def blocks(language):
    """The page's programs in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(*command, folder, environment=None, why_skip=None):
    """Runs a command; where it may be impossible on this machine, skips and says so."""
    ran = subprocess.run(command, cwd=folder, env={**os.environ, **(environment or {})}, capture_output=True, text=True,
                         timeout=300, check=False)
    if ran.returncode != 0 and why_skip:
        pytest.skip(f"NOT CHECKED: {why_skip}: {(ran.stderr or ran.stdout).strip()[-200:]}")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def tool(name):
    """The tool's name, if it is there."""
    if not shutil.which(name):
        pytest.skip(f"NOT CHECKED: no {name} here")
    return name


def kafka_clients():
    """Class path of the broker that the tests run; kafka-clients is part of it."""
    return str(dev_kafka.jar_folder(os.environ.get("WXCOURIER_KAFKA_VERSION") or dev_kafka.VERSIONS[-1]) / "*")


def shell_program(folder):
    """kcat's pipe."""
    tool("kcat")
    (folder / "send.sh").write_text(blocks("sh")[0], encoding="utf-8")
    return ["sh", "-eu", "send.sh"]


def python_program(folder):
    """With this environment's confluent-kafka."""
    (folder / "send.py").write_text(blocks("python")[0], encoding="utf-8")
    return [sys.executable, "send.py"]


def java_program(folder):
    """Compiled against the kafka-clients that dev-kafka has fetched."""
    (folder / "SendJob.java").write_text(blocks("java")[0], encoding="utf-8")
    run(tool("javac"), "-encoding", "UTF-8", "-cp", kafka_clients(), "SendJob.java", folder=folder)
    return ["java", "-Dfile.encoding=UTF-8", "-cp", f".:{kafka_clients()}", "SendJob"]


def go_program(folder):
    """Needs Go 1.22 or newer and its module proxy."""
    (folder / "send.go").write_text(blocks("go")[0], encoding="utf-8")
    run(tool("go"), "mod", "init", "example", folder=folder)
    run("go", "get", FRANZ, folder=folder, why_skip="Go is too old, or cannot fetch modules")
    assert run("gofmt", "-l", "send.go", folder=folder) == ""
    run("go", "build", "-o", "send", ".", folder=folder, environment={"GOFLAGS": "-p=1 -buildvcs=false"})
    return ["./send"]


def cpp_program(folder):
    """As strictly as the worker itself."""
    (folder / "send.cpp").write_text(blocks("cpp")[0], encoding="utf-8")
    run(tool("g++"), "-std=c++17", "-Wall", "-Wextra", "-Werror", "send.cpp", "-o", "send", "-lrdkafka++", folder=folder)
    return ["./send"]


PROGRAMS = {"kcat": shell_program, "python": python_program, "java": java_program, "go": go_program, "cpp": cpp_program}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_worker_sends_what_the_page_produces(name, kafka, topics, simulator, run_worker, read, tmp_path):
    environment = {"BROKERS": kafka.bootstrap, "TOPIC": topics.jobs, "STATUS_TOPIC": topics.status}
    run(*PROGRAMS[name](tmp_path), folder=tmp_path, environment=environment)
    worker = run_worker(topics, simulator)
    log = StatusLog(read(topics.status))
    log.until_terminal(1, progress=worker.check_alive)
    (_, _), (status,) = log.terminal.popitem()
    record = log.reader.records[0]
    assert (status["state"], status["id"], status["touser"]) == ("sent", f"order-4711-{name}", OPENID)
    assert dict(record.headers)["x-source"] == (b"shell" if name == "kcat" else b"shop")
    if name == "python":
        (tmp_path / "follow.py").write_text(blocks("python")[1], encoding="utf-8")
        assert run(sys.executable, "follow.py", folder=tmp_path, environment=environment).split() == [OPENID, "sent"]
    if name == "kcat":
        (tmp_path / "look.sh").write_text(blocks("sh")[1], encoding="utf-8")
        key, _, value = run("sh", "-eu", "look.sh", folder=tmp_path, environment=environment).partition(" ")
        assert key == json.loads(value)["id"] == "order-4711-kcat"
    worker.stop()


def test_every_program_is_run():
    fenced = set(re.findall(r"^```(\w+)$", PAGE, re.MULTILINE))
    assert fenced == {"sh", "python", "java", "go", "cpp"}
    assert [len(blocks(language)) for language in ("sh", "python", "java", "go", "cpp")] == [2, 2, 1, 1, 1]
