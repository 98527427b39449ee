"""The admin listener and `wxcourier ctl`: pauses of the whole group that outlive restarts, rates, refusals, drain."""
import json
import re
import time

import jobs
import pytest
import requests
from worker import APPIDS, Process

TOKEN = "canary-admin-5f3c9a1b7e"


@pytest.fixture
def token_file(tmp_path):
    """The file with the admin token."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    file = folder / "admin"
    file.write_text(TOKEN + "\n")
    return file


@pytest.fixture
def run_admin(run_worker, token_file):
    """Starts workers that have an admin listener."""
    def start(topics, simulator, **changes):
        return run_worker(topics, simulator, admin={"listen": "127.0.0.1:0", "token": {"file": str(token_file)}}, **changes)
    return start


def admin(worker):
    """Address of its admin listener."""
    def find():
        for line in worker.log("listening"):
            if line.get("name") == "admin":
                return re.search(r"127\.0\.0\.1:\d+", line["address"]).group()
        return None
    return worker.wait_for(find, 20, "the admin listener")


def call(worker, method, path, token=TOKEN, **arguments):
    """One call of its admin listener."""
    headers = {"Authorization": f"Bearer {token}", "X-Operator": "alice"} if token else {}
    return requests.request(method, f"http://{admin(worker)}{path}", headers=headers, timeout=15, **arguments)


def ctl(folder, worker, token_file, *arguments):
    """Runs `wxcourier ctl` against it: exit code, output, errors."""
    command = Process(folder, "ctl", ["ctl", "--at", admin(worker), "--token-file", token_file, "--as", "bob", *arguments])
    return command.wait(), command.out(), command.err()


def events(reader):
    """Operators' actions on the status topic so far."""
    reader.settle()
    found = [record for record in reader.records if record.key == b"@event"]
    return [json.loads(record.value) for record in found]


def test_a_pause_stops_the_whole_group_and_outlives_its_restart(kafka, topics, simulator, run_admin, read, tmp_path,
                                                               token_file):
    workers = [run_admin(topics, simulator).ready() for _ in range(2)]
    status = read(topics.status)
    kafka.produce(topics.jobs, [jobs.make(number).record() for number in range(60)])
    status.until(lambda records: len(records) >= 60, 60, "60 statuses")

    done = call(workers[0], "POST", "/apps/shop/pause")
    assert done.status_code == 200, done.text
    assert done.json()["changed"] is True and done.json()["scope"] == "group"
    time.sleep(2)  # the contract's two seconds
    kafka.produce(topics.jobs, [jobs.make(number).record() for number in range(60, 160)])
    kafka.produce(topics.jobs, [jobs.make(200, "miniprogram.subscribe").record()])
    status.until(lambda records: len(records) >= 62, 60, "the event and the other app's status")
    time.sleep(2)
    assert simulator.sends_so_far() == 61, "both replicas hold the app's jobs, and the other app's was sent"
    for worker in workers:
        shown = {app["name"]: app for app in call(worker, "GET", "/apps").json()["apps"]}
        assert shown["shop"]["state"] == "paused" and shown["mini"]["state"] == "sending"
        assert shown["shop"]["pauses"][0]["by"].startswith("alice@127.0.0.1")
    code, out, err = ctl(tmp_path, workers[1], token_file, "apps")
    assert (code, err) == (0, "") and "app shop paused by alice@" in out

    for worker in workers:
        worker.stop()
    restarted = [run_admin(topics, simulator).ready() for _ in range(2)]
    time.sleep(3)
    assert simulator.sends_so_far() == 61, "the pause outlives the restart of all"

    code, out, err = ctl(tmp_path, restarted[1], token_file, "resume", "shop")
    assert (code, err) == (0, ""), err
    status.until(lambda records: sum(b'"state":"sent"' in record.value for record in records) >= 161, 60, "all sent")
    told = events(status)
    assert [(each["reason"], each["app"], each["operator"].split("@")[0]) for each in told] == [
        ("app_paused", "shop", "alice"), ("app_resumed", "shop", "bob")], "each change once"
    assert all(each["id"] is None and each["source"] is None for each in told)
    for worker in restarted:
        worker.stop()


def test_kinds_templates_and_rates(kafka, topics, simulator, run_admin, read):
    worker = run_admin(topics, simulator).ready()
    status = read(topics.status)
    assert call(worker, "POST", f"/templates/{jobs.TEMPLATE}/pause").status_code == 200
    assert call(worker, "POST", "/kinds/miniprogram.custom/pause?scope=instance").status_code == 200
    kafka.produce(topics.jobs, [jobs.make(1).record(), jobs.make(2, "official.custom").record(),
                                jobs.make(3, "miniprogram.custom").record()])
    status.until(lambda records: len(records) >= 3, 30, "two events and the one that is not paused")
    time.sleep(1)
    assert simulator.sends_so_far() == 1
    assert call(worker, "POST", f"/templates/{jobs.TEMPLATE}/resume").status_code == 200
    assert call(worker, "POST", "/kinds/miniprogram.custom/resume?scope=instance").status_code == 200
    status.until(lambda records: len(records) >= 7, 30, "all three sent, four events")

    changed = call(worker, "PUT", "/apps/shop/rate", json={"per_second": 10, "burst": 1})
    assert changed.status_code == 200, changed.text
    before = simulator.sends_so_far()
    kafka.produce(topics.jobs, [jobs.make(number).record() for number in range(100, 300)])
    time.sleep(5)
    sent = simulator.sends_so_far() - before
    assert 20 <= sent <= 70, sent
    assert call(worker, "PUT", "/apps/shop/rate", json={"per_second": None, "burst": None}).status_code == 200
    status.until(lambda records: sum(b'"state":"sent"' in record.value for record in records) >= 203, 60, "all sent")
    worker.stop()


def test_a_wrong_token_is_slow_and_counted_and_nothing_else_waits(topics, simulator, run_admin):
    worker = run_admin(topics, simulator).ready()
    for token in ("", "wrong", TOKEN[:-1]):
        began = time.monotonic()
        refused = call(worker, "POST", "/pause", token=token)
        assert refused.status_code == 401 and "error" in refused.json()
        assert time.monotonic() - began > 0.2
    began = time.monotonic()
    assert call(worker, "GET", "/apps").status_code == 200
    assert worker.get("/livez").status_code == 200
    assert time.monotonic() - began < 1
    assert worker.metric("wxcourier_admin_requests_total", result="unauthorized") == 3
    assert call(worker, "POST", "/apps/nobody/pause").status_code == 404
    assert call(worker, "GET", "/apps/shop/pause").status_code == 405
    assert call(worker, "PUT", "/apps/shop/rate", data="{").status_code == 400
    assert call(worker, "PUT", "/apps/shop/rate", data="x" * 10_000).status_code == 413
    worker.stop()


def test_a_token_is_refreshed_and_a_worker_drains(topics, simulator, run_admin, tmp_path, token_file, read):
    worker = run_admin(topics, simulator).ready()
    status = read(topics.status)
    issued = simulator.tokens_issued(APPIDS["shop"])
    code, _, err = ctl(tmp_path, worker, token_file, "refresh", "shop")
    assert code == 0, err
    worker.wait_for(lambda: True if simulator.tokens_issued(APPIDS["shop"]) > issued else None, 20, "another token")
    code, _, err = ctl(tmp_path, worker, token_file, "drain")
    assert code == 0, err
    assert worker.wait() == 0
    assert [each["reason"] for each in events(status)] == ["token_refreshed", "drain"]


def test_a_refreshed_token_is_in_force_on_all_workers_within_two_seconds(topics, simulator, run_admin, tmp_path, token_file):
    workers = [run_admin(topics, simulator).ready() for _ in range(2)]

    def generations():
        return [worker.metric("wxcourier_token_generation", app="shop") for worker in workers]
    assert generations() == [1, 1]
    assert call(workers[0], "POST", "/apps/shop/token/refresh").status_code == 202
    workers[0].wait_for(lambda: True if generations()[0] == 2 else None, 10, "another token")
    began = time.monotonic()
    workers[1].wait_for(lambda: True if generations()[1] == 2 else None, 10, "the other worker's token")
    assert time.monotonic() - began < 2
    assert simulator.tokens_issued(APPIDS["shop"]) == 2, "both have the same"
    code, out, err = ctl(tmp_path, workers[1], token_file, "refresh", "mini", "--instance")
    assert code == 0 and "instance" in out, err
    workers[1].wait_for(lambda: True if simulator.tokens_issued(APPIDS["mini"]) == 2 else None, 10, "its own new token")
    time.sleep(2)
    assert workers[0].metric("wxcourier_token_generation", app="mini") == 1
    for worker in workers:
        worker.stop()


def test_a_changed_token_file_is_taken_up(topics, simulator, run_admin, token_file):
    worker = run_admin(topics, simulator).ready()
    assert call(worker, "GET", "/apps").status_code == 200
    other = "canary-admin-another-token"
    token_file.write_text(other)
    worker.wait_for(lambda: True if call(worker, "GET", "/apps", token=other).status_code == 200 else None, 30,
                    "the new token")
    worker.stop()


@pytest.mark.parametrize("content, said", [("", "is empty"), ("short", "shorter than 16 characters"), (None, "cannot")])
def test_a_bad_token_is_a_configuration_error(topics, simulator, run_admin, token_file, content, said):
    if content is None:
        token_file.unlink()
    else:
        token_file.write_text(content)
    worker = run_admin(topics, simulator)
    assert worker.wait() == 2
    assert re.search(r"worker-0\.yaml:\d+:\d+: ", worker.err()), worker.err()
    assert said in worker.err() or content is None, worker.err()
    check = Process(token_file.parent, "check", ["check-config", "-c", worker.config],
                    {"SHOP_SECRET": "x", "MINI_SECRET": "y"})
    assert check.wait() == 2
