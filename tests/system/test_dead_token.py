"""An access token that WeChat declares dead costs one renewal and no job."""
import jobs
import pytest
from statuses import StatusLog
from worker import APPIDS

COUNT = 5000


@pytest.mark.parametrize("how", [{"errcode": 42001}, {"errcode": 40001}, {"errcode": 40014, "until_forced": True}],
                         ids=["expired", "replaced", "dead until a forced call"])
def test_a_token_that_dies_is_renewed_once_and_every_job_is_sent(kafka, topics, simulator, run_worker, read, how):
    simulator.change(latency="20ms")
    kafka.produce(topics.jobs, [jobs.make(number).record() for number in range(COUNT)])
    worker = run_worker(topics, simulator).ready()
    log = StatusLog(read(topics.status))
    log.until_terminal(COUNT // 3, progress=worker.check_alive)
    assert simulator.expire_tokens(APPIDS["shop"], **how) == 1
    assert simulator.sends_so_far() < COUNT, "the token died too late to matter"
    log.until_terminal(COUNT, progress=worker.check_alive)
    worker.stop()

    statuses = log.by_id()
    assert {status["state"] for status in statuses.values()} == {"sent"}
    assert len(statuses) == COUNT
    assert simulator.tokens_issued(APPIDS["shop"]) == 2, "the first token and one renewal"
    sends = simulator.sends()
    refused = [each for each in sends if each["errcode"] == how["errcode"]]
    assert 1 <= len(refused) <= 128, "no more than were in flight met the dead token"
    assert len(sends) == COUNT + len(refused)
    assert all(each["token_valid"] for each in sends if each not in refused)
