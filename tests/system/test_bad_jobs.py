"""Whatever comes over the jobs topic, the worker lives, says what is wrong with it, and sends the jobs around it."""
import json
import secrets

import jobs
import pytest
from kafka import Record
from statuses import StatusLog, assert_letter_is, letter_headers, source_of

MEBIBYTE = 1024 * 1024


def document(**changes):
    """A good job's document with members changed; those that are `None` are left out."""
    job = {"id": "bad", "app": "shop", "kind": "official.template",
           "message": jobs.message("official.template", jobs.openid(1))}
    job.update(changes)
    return {name: value for name, value in job.items() if value is not None}


def text(**changes):
    """The same as bytes."""
    return json.dumps(document(**changes), ensure_ascii=False).encode()


def message(**changes):
    """A job whose message has members changed."""
    return text(message={**jobs.message("official.template", jobs.openid(1)), **changes})


GOOD = text().decode()
# Name -> value, reason, and what the error must name (a JSON pointer, or words).
BAD = {
    "no value": (None, "invalid_job", ""),
    "empty value": (b"", "invalid_job", ""),
    "blank": (b"  \n", "invalid_job", ""),
    "no JSON": (b"hello", "invalid_job", ""),
    "cut short": (GOOD[:-1].encode(), "invalid_job", ""),
    "more behind it": (GOOD.encode() + b"{}", "invalid_job", ""),
    "a NUL behind it": (GOOD.encode() + b"\0" + GOOD.encode(), "invalid_job", ""),
    "a NUL byte in it": (GOOD.replace("bad", "b\0d").encode(), "invalid_job", ""),
    "an escaped NUL in the id": (GOOD.replace('"bad"', '"b\\u0000d"').encode(), "invalid_job", "/id"),
    "not UTF-8": (GOOD.encode().replace(b"bad", b"b\xffd"), "invalid_job", ""),
    "overlong UTF-8": (GOOD.encode().replace(b"bad", b"b\xc0\xafd"), "invalid_job", ""),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD.encode(), "invalid_job", ""),
    "half a surrogate pair": (GOOD.replace('"bad"', '"b\\ud800d"').encode(), "invalid_job", ""),
    "depth 100,000": (b'{"id":"deep","message":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "invalid_job", ""),
    "depth 65": (GOOD.replace('"bad"', "[" * 64 + "]" * 64).encode(), "invalid_job", ""),
    "2 MiB": (text(labels={"a": "x" * 2 * MEBIBYTE}), "invalid_job", ""),
    "an array": (b"[]", "invalid_job", ""),
    "a string": (b'"job"', "invalid_job", ""),
    "null": (b"null", "invalid_job", ""),
    "a number": (b"1e400", "invalid_job", ""),
    "an empty object": (b"{}", "invalid_job", "/id"),
    "no id": (text(id=None), "invalid_job", "/id"),
    "an empty id": (text(id=""), "invalid_job", "/id"),
    "an id of 129 characters": (text(id="x" * 129), "invalid_job", "/id"),
    "an id with a line break": (text(id="a\nb"), "invalid_job", "/id"),
    "an id that is a number": (text(id=7), "invalid_job", "/id"),
    "an app that is a number": (text(app=7), "invalid_job", "/app"),
    "no app": (text(app=None), "invalid_job", "/app"),
    "an app by a name that none can have": (text(app="no body"), "unknown_app", "/app"),  # Others wait a minute.
    "a kind nobody knows": (text(kind="official.pigeon"), "unknown_kind", "/kind"),
    "no message": (text(message=None), "invalid_job", "/message"),
    "a message that is an array": (text(message=[]), "invalid_job", "/message"),
    "no touser": (message(touser=None), "invalid_job", "/message/touser"),
    "a touser that is a number": (message(touser=7), "invalid_job", "/message/touser"),
    "a template_id that is an object": (message(template_id={}), "invalid_job", "/message/template_id"),
    "an unknown field": (text(colour="red"), "invalid_job", "/colour"),
    "a field twice": (GOOD.replace("{", '{"app": "mini", ', 1).encode(), "invalid_job", "/app"),
    "a message's field twice": (GOOD.replace('"touser"', '"touser": "x", "touser"').encode(), "invalid_job",
                                "/message/touser"),
    "a time of 20 digits": (GOOD.replace("{", '{"not_before": 18446744073709551616, ', 1).encode(), "invalid_job",
                            "/not_before"),
    "a time that is a fraction": (text(expire_at=1.5), "invalid_job", "/expire_at"),
    "a time that is no time": (text(expire_at="tomorrow"), "invalid_job", "/expire_at"),
    "a time too far ahead": (text(not_before="2999-01-01T00:00:00Z"), "invalid_job", "/not_before"),
    "a priority nobody knows": (text(priority="urgent"), "invalid_job", "/priority"),
    "a label that is a number": (text(labels={"a": 1}), "invalid_job", "/labels/a"),
    "seventeen labels": (text(labels={f"l{n}": "x" for n in range(17)}), "invalid_job", "/labels"),
    "recipients that are an object": (text(recipients={}), "invalid_job", "/recipients"),
    "recipients and touser": (text(recipients=[jobs.openid(2)]), "invalid_job", "/message/touser"),
    "a recipient twice": (text(message={"template_id": jobs.TEMPLATE, "data": {}},
                               recipients=[jobs.openid(2), jobs.openid(3), jobs.openid(2)]), "invalid_job", "/recipients/2"),
    "a recipient that is a number": (text(message={"template_id": jobs.TEMPLATE, "data": {}},
                                          recipients=[jobs.openid(2), 7]), "invalid_job", "/recipients/1"),
    "no recipient": (text(message={"template_id": jobs.TEMPLATE, "data": {}}, recipients=[]), "invalid_job", "/recipients"),
    "10,001 recipients": (text(message={"template_id": jobs.TEMPLATE, "data": {}},
                               recipients=[jobs.openid(n) for n in range(10_001)]), "invalid_job", "/recipients"),
}


@pytest.fixture(scope="module")
def bad_topics(kafka):
    """One partition, so that the jobs between the bad ones are really between them; large records are allowed."""
    return kafka.topics(partitions=1, max_message_bytes=4 * MEBIBYTE)


def test_each_bad_job_is_rejected_and_the_jobs_between_are_sent(kafka, bad_topics, simulator, run_worker, read):
    good = [jobs.make(number, prefix="good") for number in range(len(BAD) + 1)]
    records = [good[0].record()]
    for index, (value, _, _) in enumerate(BAD.values()):
        headers = (("traceparent", b"00-abc"), ("x-raw", bytes([0, 255, index])), ("x-null", None))
        records += [Record(value, f"key-{index}\xff".encode("latin-1"), headers), good[index + 1].record()]
    placed = kafka.produce(bad_topics.jobs, records)
    worker = run_worker(bad_topics, simulator).ready()
    log = StatusLog(read(bad_topics.status))
    log.until_terminal(len(records), progress=worker.check_alive)
    letters = read(bad_topics.dead_letter)
    letters.until(lambda found: len(found) >= len(BAD), what="the dead letters")
    worker.stop()

    statuses = {source_of(status): status for status in log.only().values()}
    by_source = {letter_headers(letter)[0]["wxcourier.source"]: letter for letter in letters.settle()}
    assert len(letters.records) == len(BAD)
    wrong = []
    for record, name in zip(placed[1::2], BAD):
        _, reason, named = BAD[name]
        status, letter = statuses[record.source], by_source[record.source]
        assert_letter_is(letter, record, "rejected", status["reason"])
        error = letter_headers(letter)[0]["wxcourier.error"]
        said = (status["state"], status["reason"], status["attempts"])
        if said != ("rejected", reason, 0) or named not in error or not error:
            wrong.append(f"{name}: {said} {error!r}, expected {reason} {named}")
    assert not wrong, "\n".join(wrong)
    for record in placed[0::2]:
        assert statuses[record.source]["state"] == "sent"
    assert len(simulator.sends()) == len(good)


def test_what_can_be_read_of_a_bad_job_stands_in_its_status(kafka, topics, simulator, run_worker, read):
    bad = text(id="readable", labels={"campaign": "a"}, priority="urgent")
    unreadable = b'{"id": "unreadable"'
    kafka.produce(topics.jobs, [Record(bad, headers=(("x-trace", b"1"), ("other", b"2"))), Record(unreadable)])
    worker = run_worker(topics, simulator).ready()
    reader = read(topics.status)
    log = StatusLog(reader)
    log.until_terminal(2, progress=worker.check_alive)
    worker.stop()
    statuses = {status["id"]: status for status in log.only().values()}
    readable = statuses["readable"]
    assert (readable["app"], readable["kind"], readable["labels"]) == ("shop", "official.template", {"campaign": "a"})
    assert readable["touser"] == jobs.openid(1)
    record, = (each for each in reader.records if each.key == b"readable")
    assert record.headers == (("x-trace", b"1"),)
    assert (statuses[None]["app"], statuses[None]["kind"], statuses[None]["touser"]) == (None, None, None)


def test_a_letter_the_broker_refuses_for_its_size_is_written_without_its_value(kafka, simulator, run_worker, read):
    topics = kafka.topics(partitions=1, max_message_bytes=4 * MEBIBYTE)
    small = f"{topics.dead_letter}.small"
    kafka.create(small, max_message_bytes=100_000)
    value = text(labels={"a": secrets.token_hex(300_000), "b": 1})  # Compression does not make it small.
    placed, = kafka.produce(topics.jobs, [Record(value, b"key", (("x-a", b"b"),))])
    worker = run_worker(topics, simulator, topics={"dead_letter": small}).ready()
    log = StatusLog(read(topics.status))
    log.until_terminal(1, progress=worker.check_alive)
    worker.stop()
    letter, = read(small).until(lambda found: len(found) == 1)
    ours, theirs = letter_headers(letter)
    assert not letter.value
    assert letter.key == b"key"
    assert theirs == (("x-a", b"b"),)
    assert ours["wxcourier.truncated"] == str(len(value))
    assert ours["wxcourier.source"] == placed.source
