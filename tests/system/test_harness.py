"""The harness itself: what the other tests believe of it."""
from kafka import Record


def test_records_come_back_as_they_were_produced(kafka, topics, read):
    records = [Record(b"one", b"key", (("x-a", b"\x00\xff"), ("x-a", b""))), Record(b"", None), Record(None, b"key")]
    placed = kafka.produce(topics.jobs, records)
    reader = read(topics.jobs)
    found = {record.source: record for record in reader.until(lambda all_of: len(all_of) == 3)}
    for record in placed:
        assert found[record.source] == record


def test_a_broker_that_restarts_keeps_its_records_and_its_address(kafka, read):
    names = kafka.topics(partitions=1)
    kafka.produce(names.jobs, [Record(b"before")])
    address = kafka.bootstrap
    kafka.stop()
    assert kafka.start() == address
    kafka.produce(names.jobs, [Record(b"after")])
    reader = read(names.jobs)
    assert [record.value for record in reader.until(lambda all_of: len(all_of) == 2)] == [b"before", b"after"]
