"""A credential that is wrong stops its own app, loudly; the others go on, and its jobs wait."""
import jobs
from statuses import StatusLog
from worker import APPIDS

COUNT = 200


def test_a_wrong_secret_halts_one_app_and_its_jobs_wait_for_the_right_one(kafka, topics, simulator, run_worker, read):
    mixed = jobs.of_all_kinds(COUNT)
    of_shop = [job for job in mixed if job.app == "shop"]
    kafka.produce(topics.jobs, [job.record() for job in mixed])
    apps = [
        {"name": "shop", "type": "official_account", "appid": APPIDS["shop"], "secret": {"env": "SHOP_SECRET"}},
        {"name": "mini", "type": "mini_program", "appid": APPIDS["mini"], "secret": {"value": "canary-wrong-secret"}},
    ]
    worker = run_worker(topics, simulator, apps=apps).ready()  # Ready: the halted app has a reason.
    log = StatusLog(read(topics.status))
    log.until_terminal(len(of_shop), progress=worker.check_alive)
    log.reader.settle()
    log.take()

    assert {status["app"] for status in log.only().values()} == {"shop"}
    assert {status["state"] for status in log.only().values()} == {"sent"}
    assert {each["appid"] for each in simulator.sends()} == {APPIDS["shop"]}
    ready = worker.get("/readyz")
    assert ready.status_code == 200
    assert "mini" in ready.text
    assert "wrong_secret" in ready.text
    loud = [line for line in worker.log() if line["level"] == "error" and "mini" in line.values()]
    assert loud, "the log says it as an error"
    assert "canary-wrong-secret" not in worker.err() + ready.text
    worker.stop()

    successor = run_worker(topics, simulator).ready()
    log.until_terminal(COUNT, progress=successor.check_alive)
    successor.stop()
    assert [status for status in log.by_id().values() if status["state"] != "sent"] == []
    assert len(log.by_id()) == len(simulator.sends()) == COUNT, "every job once, the shop's not again"
