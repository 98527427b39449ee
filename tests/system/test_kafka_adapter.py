"""The Kafka adapter against a real broker: what librdkafka's mock cluster cannot show."""
import os
import pathlib
import subprocess

import pytest

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build" / "dev" / "component_kafka_broker"


@pytest.mark.skipif(not PROGRAM.is_file(), reason="build/dev has no component_kafka_broker")
def test_the_kafka_adapter_holds_what_the_mock_cluster_cannot_show(kafka):
    """Commits during a revocation, deleted records, a topic made anew, size limits, members that come and go."""
    run = subprocess.run([PROGRAM], env={**os.environ, "WXCOURIER_TEST_KAFKA": kafka.bootstrap}, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout[-8000:]
    assert "SKIPPED" not in run.stdout
