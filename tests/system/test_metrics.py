"""What /metrics says is what Prometheus wants to read, and counts what happened."""
import pathlib
import re
import shutil
import subprocess
import time

import jobs
from kafka import Record
from statuses import StatusLog

ROOT = pathlib.Path(__file__).resolve().parents[2]


def promtool():
    """The tool, from the path or from where scripts/install-packages puts it."""
    return shutil.which("promtool") or str(ROOT / "build" / "tools" / "promtool")


def test_promtool_finds_nothing_and_the_numbers_are_right(kafka, topics, simulator, run_worker, read):
    worker = run_worker(topics, simulator).ready()
    sent = jobs.of_all_kinds(16)
    failing = jobs.make(100)
    failing.touser = failing.body["touser"] = "sim-errcode-43004-1"
    kafka.produce(topics.jobs, [job.record() for job in (*sent, failing)] + [Record(b"no job")])
    log = StatusLog(read(topics.status))
    log.until_terminal(18, progress=worker.check_alive)
    text = worker.wait_for(
        lambda: worker.get("/metrics").text if worker.metric("wxcourier_statuses_published_total") == 18 else None,
        10, "the count of acknowledged statuses")

    checked = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    names = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    assert all(name.startswith("wxcourier_") for name in names), names
    assert worker.metric("wxcourier_jobs_read_total") == 18
    assert worker.metric("wxcourier_jobs_rejected_total") == 1
    assert worker.metric("wxcourier_messages_finished_total", state="sent") == 16
    assert worker.metric("wxcourier_messages_finished_total", state="failed") == 1
    assert worker.metric("wxcourier_ready") == 1
    assert abs(worker.metric("wxcourier_start_time_seconds") - time.time()) < 600
    assert text.count("\nwxcourier_partition_lag{") == 6 and worker.metric("wxcourier_partition_lag") == 0
    assert worker.metric("wxcourier_records_skipped_total") == worker.metric("wxcourier_partitions_stopped") == 0
    assert worker.metric("wxcourier_dead_letters_published_total") == 2
    assert worker.metric("wxcourier_in_flight") == worker.metric("wxcourier_queued") == 0
    assert "sim-errcode" not in text and jobs.openid(1) not in text, "an openid is in a label"
    worker.stop()
