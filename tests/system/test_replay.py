"""`wxcourier replay`: puts back what was chosen, once, whatever happens in between."""
import collections
import json
import os
import re
import signal
import time

import jobs
import pytest
import yaml
from kafka import Record
from statuses import StatusLog, letter_headers
from worker import Process, worker_settings

FAR_END = "https://127.0.0.1:1"  # replay has nothing to do with WeChat


class NoFarEnd:
    """A simulator that is not there."""
    url, ca = FAR_END, None


class Replay(Process):
    """A `wxcourier replay` process."""
    count = 0

    def __init__(self, folder, config, *arguments):
        Replay.count += 1
        super().__init__(folder, f"replay-{Replay.count}", ["replay", "-c", config, *arguments])

    def ended(self, expected=0):
        """Its output, once it ended with this code."""
        code = self.wait(60)
        assert code == expected, f"exit code {code}\n{self.out()}\n{self.err()[-3000:]}"
        return self.out()

    def replayed(self, expected=0):
        """How many it says it put back."""
        found = re.search(r"^(\d+) replayed", self.ended(expected), re.MULTILINE)
        return int(found.group(1)) if found else 0


@pytest.fixture
def config(tmp_path, kafka, topics):
    """A configuration; the memory's topic is created by the first replay."""
    settings = worker_settings(kafka.bootstrap, topics, NoFarEnd, topics={"create": {"partitions": 6, "replication": 1}})
    for app in settings["apps"]:
        app["secret"] = {"value": "0123456789abcdef0123456789abcdef"}
    file = tmp_path / "replay.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return file


@pytest.fixture
def replay(tmp_path, config):
    """Runs a replay."""
    started = []

    def start(*arguments):
        started.append(Replay(tmp_path, config, *arguments))
        return started[-1]
    yield start
    for each in started:
        each.kill()


def letter(job, topics, number, reason="retries_exhausted", state="failed", at="2026-11-24T08:00:00.000Z", **more):
    """The dead letter that a worker would have written for a job at offset `number`."""
    record = job.record()
    ours = {"state": state, "reason": reason, "error": "words", "source": f"{topics.jobs}/0/{number}", "at": at, **more}
    headers = record.headers + tuple((f"wxcourier.{name}", value.encode()) for name, value in ours.items())
    return Record(record.value, record.key, headers)


def put_back(read, topics, expected=None):
    """What stands on the jobs topic, committed transactions only."""
    reader = read(topics.jobs)
    if expected is not None:
        reader.until(lambda found: len(found) >= expected, what=f"{expected} jobs")
    return reader.settle()


def test_a_letter_goes_back_as_it_was_and_never_again(kafka, topics, replay, read):
    some = [jobs.make(number) for number in range(300)]
    for job in some:
        job.headers = (("x-mine", b"\x00\xff"), ("traceparent", b"00-1-2-01"))
    kafka.produce(topics.dead_letter, [letter(job, topics, number) for number, job in enumerate(some)])
    first = replay()
    assert first.replayed() == 300
    assert "300 letters, 300 to be replayed" in first.out()
    back = {record.key: record for record in put_back(read, topics, 300)}
    assert len(back) == 300
    for job in some:
        original = job.record()
        came = back[original.key]
        assert came.value == original.value
        assert came.headers == original.headers + (("wxcourier.replay", b"1"),)
    again = replay()
    assert again.replayed() == 0
    assert "left out: 300 replayed already" in again.out()
    assert len(put_back(read, topics)) == 300


def test_a_dry_run_tells_and_does_nothing(kafka, topics, replay, read):
    kafka.produce(topics.dead_letter, [letter(jobs.make(1), topics, 1), letter(jobs.make(2, "miniprogram.custom"), topics, 2)])
    told = replay("--dry-run").ended()
    assert re.search(r"^  mini +failed +retries_exhausted +1$", told, re.MULTILINE), told
    assert re.search(r"^  shop +failed +retries_exhausted +1$", told, re.MULTILINE), told
    assert put_back(read, topics) == []
    assert replay().replayed() == 2


def test_the_filters_choose_and_what_they_leave_can_be_replayed_later(kafka, topics, replay, read):
    letters = [
        letter(jobs.make(0), topics, 0, reason="invalid_template"),
        letter(jobs.make(1), topics, 1, at="2026-11-20T08:00:00.000Z"),
        letter(jobs.make(2, "miniprogram.subscribe"), topics, 2),
        letter(jobs.make(3, "official.custom"), topics, 3),
        letter(jobs.make(4), topics, 4, reason="unknown_app", state="rejected"),
    ]
    kafka.produce(topics.dead_letter, letters)

    def ids():
        return sorted(json.loads(record.value)["id"] for record in put_back(read, topics))
    for arguments, so_far in (
            (["--reason", "invalid_template"], ["job-0"]),
            (["--until", "2026-11-21T00:00:00Z"], ["job-0", "job-1"]),
            (["--app", "mini"], ["job-0", "job-1", "job-2"]),
            (["--kind", "official.custom", "--since", "2026-11-24T00:00:00Z"], ["job-0", "job-1", "job-2", "job-3"]),
            (["--id", "nobody"], ["job-0", "job-1", "job-2", "job-3"]),
            (["--state", "rejected"], ["job-0", "job-1", "job-2", "job-3", "job-4"])):
        replay(*arguments).ended()
        assert ids() == so_far, arguments


def test_an_unknown_outcome_must_be_named(kafka, topics, replay, read):
    several = jobs.Job("many", "official.custom", "many", {"msgtype": "text", "text": {"content": "x"}},
                       {"recipients": [jobs.openid(n) for n in range(5)]})
    kafka.produce(topics.dead_letter, [
        letter(jobs.make(1), topics, 1, reason="outcome_unknown"),
        letter(several, topics, 2, recipients="0,3", unknown="3"),
        letter(jobs.make(3), topics, 3)])
    told = replay()
    assert told.replayed() == 1
    assert "left out: 2 may have arrived" in told.out()
    assert replay("--reason", "outcome_unknown").replayed() == 2
    assert len(put_back(read, topics)) == 3


def test_a_job_that_comes_back_again_and_again_is_left_out(kafka, topics, replay, read):
    kafka.produce(topics.dead_letter, [letter(jobs.make(1), topics, 1, replay="2"), letter(jobs.make(2), topics, 2, replay="3")])
    told = replay()
    assert told.replayed() == 1
    assert "left out: 1 replayed too often already" in told.out()
    (back,) = put_back(read, topics, 1)
    assert dict(back.headers)["wxcourier.replay"] == b"3"
    assert replay("--max-replays", "4").replayed() == 1


def test_what_would_be_rejected_again_is_left_out(kafka, topics, replay):
    kafka.produce(topics.dead_letter, [letter(jobs.make(1, app="nobody"), topics, 1, reason="unknown_app", state="rejected")])
    told = replay()
    assert told.replayed() == 0
    assert "left out: 1 would be rejected again" in told.out()


def test_two_letters_of_one_record_are_one(kafka, topics, replay, read):
    twice = letter(jobs.make(1), topics, 1)
    kafka.produce(topics.dead_letter, [Record(twice.value, twice.key, twice.headers, partition=each) for each in (0, 1, 2)])
    assert replay().replayed() == 1
    told = replay()
    assert told.replayed() == 0
    assert "left out: 2 repeats of another letter" in told.out()
    assert len(put_back(read, topics)) == 1


def test_a_letter_that_was_cut_short_goes_back_whole_if_the_original_is_there(kafka, topics, replay, read):
    job = jobs.make(1)
    (placed,) = kafka.produce(topics.jobs, [job.record()])
    cut = letter(job, topics, placed.offset, source=placed.source, truncated=str(len(placed.value)))
    gone = letter(jobs.make(2), topics, 0, source=f"{topics.jobs}/{placed.partition}/999999", truncated="10")
    kafka.produce(topics.dead_letter, [Record(b"", each.key, each.headers) for each in (cut, gone)])
    told = replay()
    assert told.replayed() == 1
    assert "left out: 1 cut short, and the original is gone" in told.out()
    assert [record.value for record in put_back(read, topics, 2)] == [placed.value] * 2


def test_killed_in_the_middle_it_goes_on_where_it_stood(kafka, topics, replay, read):
    """SIGKILL three times at moments of its own: each letter stands once among the committed jobs."""
    count = 4000
    kafka.produce(topics.dead_letter, [letter(jobs.make(number), topics, number) for number in range(count)])
    reader = read(topics.jobs)
    for after in (200, 900, 1900):
        one = replay("--rate", "1200")
        reader.until(lambda found, least=after: len(found) >= least, what=f"{after} jobs", progress=one.alive)
        one.signal(signal.SIGKILL)
        one.wait()
        reader.settle()
    assert len(reader.records) < count
    replay().ended()
    reader.until(lambda found: len(found) >= count, what="all jobs")
    keys = collections.Counter(record.key for record in reader.settle())
    assert len(keys) == count
    assert max(keys.values()) == 1


def test_of_two_at_once_the_later_goes_on_and_none_is_replayed_twice(kafka, topics, replay, read):
    count = 3000
    kafka.produce(topics.dead_letter, [letter(jobs.make(number), topics, number) for number in range(count)])
    reader = read(topics.jobs)
    first = replay("--rate", "500")
    reader.until(lambda found: len(found) >= 200, what="some jobs")
    second = replay()
    assert second.replayed() > 0
    first.ended(expected=1)
    assert "another replay has begun" in first.err()
    reader.until(lambda found: len(found) >= count, what="all jobs")
    keys = collections.Counter(record.key for record in reader.settle())
    assert len(keys) == count
    assert max(keys.values()) == 1


def test_a_signal_ends_it_between_two_transactions(kafka, topics, replay, read):
    count = 2000
    kafka.produce(topics.dead_letter, [letter(jobs.make(number), topics, number) for number in range(count)])
    reader = read(topics.jobs)
    one = replay("--rate", "300")
    reader.until(lambda found: len(found) >= 100, what="some jobs")
    one.signal(signal.SIGTERM)
    done = one.replayed(expected=1)
    assert "run it again" in one.out()
    assert len(reader.settle()) == done < count
    assert replay().replayed() == count - done


def test_the_rate_is_kept(kafka, topics, replay, read):
    kafka.produce(topics.dead_letter, [letter(jobs.make(number), topics, number) for number in range(300)])
    one = replay("--rate", "100")
    reader = read(topics.jobs)
    reader.until(lambda found: found, what="the first job")
    began = time.monotonic()
    assert one.replayed() == 300
    assert time.monotonic() - began > 2


def test_a_topic_made_anew_is_not_taken_for_the_old_one(kafka, topics, replay, read):
    kafka.produce(topics.dead_letter, [letter(jobs.make(number), topics, number) for number in range(20)])
    assert replay().replayed() == 20
    kafka.delete(topics.dead_letter)
    kafka.create(topics.dead_letter, partitions=3)
    kafka.produce(topics.dead_letter, [letter(jobs.make(number), topics, number) for number in range(100, 160)])
    assert replay().replayed() == 60


def test_without_a_topic_to_remember_it_says_what_to_do(tmp_path, kafka, topics, config, read):
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    settings["topics"]["create"] = None
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    kafka.produce(topics.dead_letter, [letter(jobs.make(1), topics, 1)])
    refused = Replay(tmp_path, config)
    assert "1 letter, 1 to be replayed" in refused.ended(expected=1)
    assert f"there is no topic {topics.dead_letter}.replayed" in refused.err()
    assert put_back(read, topics) == []


def test_usage_errors(tmp_path, config):
    for arguments in (["--since", "yesterday"], ["--state", "sent"], ["--rate", "0"], ["--max-replays", "0"]):
        assert Replay(tmp_path, config, *arguments).wait() == 2, arguments


def test_after_an_incident_what_failed_is_sent_and_nothing_else(kafka, topics, simulator, run_worker, replay, read):
    """The worker's own letters, of single jobs and of one with recipients; `client_msg_id` stays what it was."""
    template = {"template_id": jobs.TEMPLATE, "data": {"thing1": {"value": "x"}}}
    people = [f"sim-once-errcode-40037-{n}" if n in (2, 5, 6) else jobs.openid(1000 + n) for n in range(8)]
    many = jobs.Job("many", "official.template", "many", template, {"recipients": people})
    single = [jobs.make(number) for number in range(20)]
    for number in (3, 7):
        single[number].touser = single[number].body["touser"] = f"sim-once-errcode-43004-{number}"
    worker = run_worker(topics, simulator).ready()
    kafka.produce(topics.jobs, [each.record() for each in [*single, many]])
    log = StatusLog(read(topics.status))
    log.until_terminal(28, progress=worker.check_alive)
    letters = read(topics.dead_letter)
    letters.until(lambda found: len(found) >= 3, what="the letters")
    ours = {record.key: letter_headers(record)[0] for record in letters.records}
    assert ours[b"many"]["wxcourier.recipients"] == "2,5-6"

    assert replay("--dry-run", "--reason", "invalid_template").ended().count("shop") == 1
    assert replay().replayed() == 3
    log.until_terminal(28 + 5, progress=worker.check_alive)
    worker.stop()
    last = {}
    for found in log.terminal.values():
        for status in found:
            last.setdefault(status["touser"], []).append(status["state"])
    failed = [each for each in people if each.startswith("sim-")] + [single[3].touser, single[7].touser]
    assert {touser: last[touser] for touser in failed} == {touser: ["failed", "sent"] for touser in failed}
    assert all(states == ["sent"] for touser, states in last.items() if touser not in failed)
    ids = collections.defaultdict(set)
    for sent in simulator.sends():
        body = json.loads(sent["body"])
        ids[body["touser"]].add(body.get("client_msg_id"))
    assert all(len(each) == 1 and None not in each for each in ids.values()), "a repeat of one message has one id"
    assert len(letters.settle()) == 3


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals here")
def test_on_a_terminal_it_asks(tmp_path, kafka, topics, config, read):
    kafka.produce(topics.dead_letter, [letter(jobs.make(1), topics, 1)])
    for answer, expected in ((b"n\n", 0), (b"y\n", 1)):
        ours, theirs = os.openpty()
        one = ReplayAt(tmp_path, config, theirs)
        os.write(ours, answer)
        assert one.wait(60) == 0
        os.close(ours)
        os.close(theirs)
        assert len(put_back(read, topics)) == expected


class ReplayAt(Process):
    """A replay with a terminal as its standard input."""

    def __init__(self, folder, config, terminal):
        Replay.count += 1
        super().__init__(folder, f"replay-{Replay.count}", ["replay", "-c", config], stdin=terminal)
