"""The configuration changes while the worker runs: no job is lost, and a bad file changes nothing."""
import copy
import os
import signal
import threading
import time

import jobs
import yaml
from statuses import StatusLog
from worker import APPIDS, SECRETS, app_settings

RELOADS = 100
CANARY = "canary-reloaded"


class ConfigurationFile:
    """The file that a worker was started with."""

    def __init__(self, worker):
        self.worker = worker
        self.settings = yaml.safe_load(worker.config.read_text(encoding="utf-8"))

    def write(self, text):
        """Replaces it as editors do."""
        new = self.worker.config.with_suffix(".new.yaml")
        new.write_text(text, encoding="utf-8")
        os.rename(new, self.worker.config)

    def save(self):
        """Writes the settings as they are now."""
        self.write(yaml.safe_dump(self.settings, sort_keys=False))

    def reloads(self, result):
        """How often it was read again with this result."""
        return self.worker.metric("wxcourier_config_reloads_total", result=result)

    def hang_up(self, result):
        """SIGHUP; waits for this result of it."""
        before = self.reloads(result)
        self.worker.signal(signal.SIGHUP)
        self.worker.wait_for(lambda: True if self.reloads(result) > before else None, 20, f"a reload: {result}")


def broken(settings, number):
    """Text that is no configuration, of one of several kinds."""
    wrong = copy.deepcopy(settings)
    kind = number % 5
    if kind == 0:
        wrong["apps"][0]["rate"]["per_second"] = -1
    elif kind == 1:
        wrong["apps"][0]["ratte"] = 7
    elif kind == 2:
        wrong["apps"].append(copy.deepcopy(wrong["apps"][0]))
    elif kind == 3:
        wrong["apps"][0]["secret"] = {"env": "NO_SUCH_VARIABLE"}
    text = yaml.safe_dump(wrong, sort_keys=False)
    return text[:len(text) // 2] + "\n  - [" if kind == 4 else text


class Load:
    """A thread that produces jobs for as long as it lives."""

    def __init__(self, kafka, topic):
        self.kafka, self.topic = kafka, topic
        self.produced, self.ended = 0, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        """Fifty jobs at a time, of two apps."""
        while not self.ended.wait(0.05):
            kinds = ["official.template", "miniprogram.subscribe"]
            self.kafka.produce(self.topic, [jobs.make(self.produced + each, kind=kinds[each % 2]).record()
                                            for each in range(50)])
            self.produced += 50

    def stop(self):
        """How many there were."""
        self.ended.set()
        self.thread.join(30)
        return self.produced


def test_a_hundred_reloads_under_load_half_of_them_broken(kafka, topics, simulate, run_worker, read):
    simulator = simulate("--latency", "20ms")
    worker = run_worker(topics, simulator).ready()
    file = ConfigurationFile(worker)
    log = StatusLog(read(topics.status))
    load = Load(kafka, topics.jobs)
    # Who has no work is lent no rate.
    worker.wait_for(lambda: worker.metric("wxcourier_rate_limit", app="shop") or None, 20, "the rate")
    for number in range(RELOADS):
        shop = file.settings["apps"][0]
        if number % 2 == 0:
            shop["rate"]["per_second"] = 4000 + number
            shop["concurrency"] = 50 + number
            file.settings["delivery"] = {"retry": {"initial": f"{100 + number}ms"}}
            if number % 4 == 0:
                file.settings["apps"] = file.settings["apps"][:2] + [
                    app_settings(f"extra{number}", "official_account", f"wx{number:016d}", "SHOP_SECRET")]
            file.save()
            file.hang_up("applied")
        else:
            in_force = worker.metric("wxcourier_config_applied_timestamp_seconds")
            rate = worker.metric("wxcourier_rate_limit", app="shop")
            file.write(broken(file.settings, number))
            file.hang_up("refused")
            assert worker.metric("wxcourier_config_refused") == 1
            assert worker.metric("wxcourier_config_applied_timestamp_seconds") == in_force
            assert worker.metric("wxcourier_rate_limit", app="shop") == rate
    produced = load.stop()
    log.until_terminal(produced, 120, progress=worker.check_alive)
    log.only()
    statuses = log.by_id()
    assert len(statuses) == produced
    assert {status["state"] for status in statuses.values()} == {"sent"}
    assert file.reloads("applied") == RELOADS / 2
    assert file.reloads("refused") == RELOADS / 2
    assert worker.get("/livez").status_code == 200
    refusals = [line for line in worker.log() if line["component"] == "config" and line["level"] == "error"]
    assert any(str(worker.config) + ":" in line["message"] for line in refusals), "reasons have a place in the file"
    worker.stop()
    sent = [send["touser"] for send in simulator.sends()]
    assert len(sent) == len(set(sent)) == produced, "none was sent twice"


def test_a_changed_file_is_followed_without_a_signal_and_apps_come_and_go(kafka, topics, simulate, run_worker, read):
    worker = run_worker(topics, simulate()).ready()
    file = ConfigurationFile(worker)
    log = StatusLog(read(topics.status))
    extra = app_settings("extra", "official_account", "wx00000000000000aa", "SHOP_SECRET")
    file.settings["apps"].append(extra)
    file.settings["kafka"]["group_id"] = "another"
    file.save()
    worker.wait_for(lambda: True if file.reloads("applied") else None, 20, "the new file to be followed")
    assert worker.metric("wxcourier_config_needs_restart") == 1
    assert [line["key"] for line in worker.log("a changed key needs a restart; its old value stays in force")] == [
        "kafka.group_id"]
    worker.ready()
    assert {each["app"] for each in worker.get("/tokens").json()["apps"]} == {"shop", "mini", "extra"}
    kafka.produce(topics.jobs, [jobs.make(number, app="extra").record() for number in range(20)])
    log.until_terminal(20, 30, progress=worker.check_alive)
    assert {status["state"] for status in log.by_id().values()} == {"sent"}

    file.settings["apps"].remove(extra)
    file.save()
    worker.wait_for(lambda: worker.log("a removed app has nothing left to send") or None, 20, "the app to go")
    assert "extra" not in worker.get("/metrics").text
    assert "extra" not in worker.get("/readyz").text
    assert {each["app"] for each in worker.get("/tokens").json()["apps"]} == {"shop", "mini"}
    worker.stop()


def test_the_first_classic_app_comes_while_the_worker_runs(kafka, topics, simulate, run_worker, read):
    simulator = simulate()
    classic = {**app_settings("extra", "official_account", "wx00000000000000cc", "SHOP_SECRET"), "token": {"source": "classic"}}
    prepared = run_worker(topics, simulator, token_key={"env": "TOKEN_KEY"}).ready()
    file = ConfigurationFile(prepared)
    file.settings["apps"].append(classic)
    file.save()
    file.hang_up("applied")
    log = StatusLog(read(topics.status))
    kafka.produce(topics.jobs, [jobs.make(number, app="extra").record() for number in range(20)])
    log.until_terminal(20, 30, progress=prepared.check_alive)
    assert {status["state"] for status in log.by_id().values()} == {"sent"}
    assert simulator.stats()["tokens"]["wx00000000000000cc"].get("classic") == 1
    prepared.stop()

    unprepared = run_worker(topics, simulator).ready()
    file = ConfigurationFile(unprepared)
    file.settings.update(apps=[*file.settings["apps"], classic], token_key={"env": "TOKEN_KEY"})
    file.save()
    file.hang_up("refused")
    assert any("no token_key when this process started" in line["message"] for line in unprepared.log())
    unprepared.stop()


def test_an_unknown_app_waits_a_minute_and_holds_up_nobody(kafka, topics, simulate, run_worker, read):
    worker = run_worker(topics, simulate()).ready()
    file = ConfigurationFile(worker)
    log = StatusLog(read(topics.status))
    began = time.monotonic()
    kafka.produce(topics.jobs, [jobs.make(number, app=("comes", "stays-away", "shop")[number % 3]).record()
                                for number in range(150)])
    log.until_terminal(50, 20, progress=worker.check_alive)
    assert {status["app"] for status in log.by_id().values()} == {"shop"}
    assert worker.metric("wxcourier_unknown_app_waiting") == 100
    file.settings["apps"].append(app_settings("comes", "official_account", "wx00000000000000bb", "SHOP_SECRET"))
    file.save()
    log.until_terminal(100, 30, progress=worker.check_alive)
    assert {(status["app"], status["state"]) for status in log.by_id().values()} == {("shop", "sent"), ("comes", "sent")}
    assert time.monotonic() - began < 55
    log.until_terminal(150, 70, progress=worker.check_alive)
    assert time.monotonic() - began > 55
    assert {status["reason"] for status in log.by_id().values() if status["app"] == "stays-away"} == {"unknown_app"}
    worker.stop()


def test_a_hangup_during_start_and_drain_is_harmless(topics, simulate, run_worker):
    worker = run_worker(topics, simulate())
    worker.wait_for(lambda: worker.log("starting") or None, 20, "the start")
    for _ in range(20):
        worker.signal(signal.SIGHUP)
    worker.ready()
    worker.signal(signal.SIGTERM)
    while worker.alive():
        worker.signal(signal.SIGHUP)
        try:
            worker.process.wait(0.005)
        except Exception:  # pylint: disable=broad-exception-caught
            pass
    assert worker.wait() == 0


def test_secrets_are_never_logged_by_a_reload(topics, simulate, run_worker, tmp_path):
    worker = run_worker(topics, simulate()).ready()
    file = ConfigurationFile(worker)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "shop").write_text(f"{CANARY}-file\n")
    file.settings["apps"][0]["secret"] = {"file": str(tmp_path / "secrets" / "shop")}
    file.save()
    file.hang_up("applied")
    file.settings["apps"][1]["secret"] = {"value": f"{CANARY}-inline"}
    file.save()
    file.hang_up("applied")
    worker.stop()
    assert CANARY not in worker.err() + worker.out()
    assert SECRETS["SHOP_SECRET"] not in worker.err()
    assert APPIDS["shop"] in worker.config.read_text()
