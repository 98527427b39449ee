"""No secret, key or access token in anything wxcourier writes, whatever goes wrong on the way."""
import pathlib
import re

import jobs
from statuses import StatusLog
from worker import APPIDS, SECRETS

FAULTS = ["errcode-40001", "errcode-40003", "http-401", "http-500", "http-502", "reset-0", "stall", "truncate", "html",
          "empty", "errcode-45067"]


def test_no_secret_in_logs_statuses_dead_letters_metrics_and_pages(kafka, topics, simulator, run_worker, read):
    worker = run_worker(topics, simulator, wechat={"request_timeout": "500ms"}, log={"level": "trace"},
                        token_key={"env": "TOKEN_KEY"},
                        kafka={"properties": {"sasl.password": {"env": "KAFKA_PASSWORD"}}}).ready()
    command_line = pathlib.Path(f"/proc/{worker.pid}/cmdline").read_bytes().decode()
    assert re.search(r"^Max core file size +0 +0 ", pathlib.Path(f"/proc/{worker.pid}/limits").read_text(), re.MULTILINE)
    all_jobs = jobs.of_all_kinds(80)
    for number, job in enumerate(all_jobs):
        if number % 2:
            fault = FAULTS[number // 2 % len(FAULTS)]
            job.touser = job.body["touser"] = f"sim-once-{fault}-{number}"
    tokens = {simulator.token(APPIDS[app], SECRETS[f"{app.upper()}_SECRET"]) for app in APPIDS}
    kafka.produce(topics.jobs, [job.record() for job in all_jobs])
    log = StatusLog(read(topics.status))
    log.until_terminal(len(all_jobs), 90, progress=worker.check_alive)
    tokens |= {simulator.token(APPIDS[app], SECRETS[f"{app.upper()}_SECRET"]) for app in APPIDS}
    # A far end that answers nonsense, and one that is gone, are reported as well.
    simulator.script({"errcode": 40164, "errmsg": "invalid ip 192.0.2.1, not in whitelist"}, path="/cgi-bin/stable_token")
    simulator.expire_tokens("")
    kafka.produce(topics.jobs, [jobs.make(1000).record(), jobs.make(1001, "miniprogram.custom").record()])
    worker.wait_for(lambda: True if "ip_not_allowed" in worker.get("/readyz").text else None, 30, "the halted app")
    pages = worker.get("/readyz").text + worker.get("/livez").text + worker.get("/metrics").text + worker.get("/tokens").text
    simulator.kill()
    kafka.produce(topics.jobs, [jobs.make(1002).record()])
    worker.stop()

    letters = read(topics.dead_letter).settle()
    written = {
        "the log": worker.err() + worker.out(),
        "the pages": pages,
        "the command line": command_line,
        "the statuses": "\n".join(record.value.decode() for record in log.reader.settle()),
        "the dead letters": "\n".join(str(record.headers) for record in letters),
    }
    assert letters
    for where, what in written.items():
        for secret in (*SECRETS.values(), *tokens):
            assert secret not in what, f"a secret stands in {where}"
        assert "access_token=" not in what, f"a query string stands in {where}"
