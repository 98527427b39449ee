"""scripts/dev-kafka keeps order among processes and directories. (That its broker works, the system tests show.)"""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def dev_kafka(*arguments):
    """Runs the script."""
    return subprocess.run([ROOT / "scripts" / "dev-kafka", *arguments], capture_output=True, text=True, check=False)


def test_a_pid_left_behind_is_not_taken_for_a_broker(tmp_path):
    broker = tmp_path / "kafka"
    broker.mkdir()
    (broker / "pid").write_text("1 1\n", encoding="ascii")  # A live process, started at another time.
    assert dev_kafka("status", "--dir", broker).returncode == 3
    assert dev_kafka("stop", "--dir", broker).stdout == "not running\n"


def test_wipe_leaves_a_directory_that_is_no_brokers(tmp_path):
    kept = tmp_path / "mine" / "file"
    kept.parent.mkdir()
    kept.write_text("x", encoding="ascii")
    assert dev_kafka("wipe", "--dir", kept.parent).returncode == 0
    assert kept.exists()


def test_the_version_that_cannot_work_is_refused(tmp_path):
    done = dev_kafka("start", "--version", "4.0.0", "--dir", tmp_path / "kafka")
    assert done.returncode == 2
    assert "KAFKA-19444" in done.stderr
