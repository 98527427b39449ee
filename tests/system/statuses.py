"""The status topic and the dead letters, as their readers understand them."""
import collections
import json
import re

TERMINAL = ("sent", "failed", "expired", "rejected", "simulated")
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def source_of(status):
    """`topic/partition/offset` of the job a status is about."""
    return "{topic}/{partition}/{offset}".format(**status["source"])


class StatusLog:
    """Statuses by what they are about: (source of the job, recipient)."""

    def __init__(self, reader):
        self.reader = reader
        self.all = []
        self.terminal = collections.defaultdict(list)
        self._taken = 0

    def take(self):
        """Takes in what the reader has read since."""
        for record in self.reader.records[self._taken:]:
            status = json.loads(record.value)
            assert record.key.decode() == (status["id"] if status["id"] is not None else source_of(status))
            check_shape(status)
            self.all.append(status)
            if status["state"] in TERMINAL:
                self.terminal[source_of(status), status["touser"]].append(status)
        self._taken = len(self.reader.records)

    def until_terminal(self, count, limit=60.0, progress=None):
        """Waits until `count` recipients have a terminal status; the statuses by (source, touser)."""
        def enough(_records):
            self.take()
            return len(self.terminal) >= count
        self.reader.until(enough, limit, f"{count} recipients with a terminal status", progress)
        return self.terminal

    def only(self):
        """The one terminal status of every recipient, after the topic has gone quiet; fails where there are two."""
        self.reader.settle()
        self.take()
        repeated = {what: found for what, found in self.terminal.items() if len(found) > 1}
        assert not repeated, f"{len(repeated)} recipients have more than one terminal status: {next(iter(repeated.items()))}"
        return {what: found[0] for what, found in self.terminal.items()}

    def by_id(self):
        """The one terminal status by job id, for jobs with one recipient each."""
        found = {}
        for status in self.only().values():
            assert status["id"] not in found, f"two statuses for {status['id']}"
            found[status["id"]] = status
        return found


def check_shape(status):
    """What holds for every status, whatever it says."""
    assert status["version"] == 1, status
    assert {"id", "app", "kind", "touser", "state", "attempts", "enqueued_at", "source", "worker"} <= status.keys(), status
    assert RFC3339.match(status["enqueued_at"]), status
    if status["state"] in TERMINAL:
        assert RFC3339.match(status["finished_at"]), status
        assert isinstance(status["latency_ms"], int), status
        assert ("reason" in status) == (status["state"] not in ("sent", "simulated")), status
    if status["state"] == "sent":
        assert status["attempts"] >= 1, status
    if "msgid" in status:
        assert isinstance(status["msgid"], str), status


def letter_headers(letter):
    """The wxcourier.* headers of a dead letter, decoded, and the producer's own, as they are."""
    ours = {name: value.decode() for name, value in letter.headers if name.startswith("wxcourier.")}
    return ours, tuple((name, value) for name, value in letter.headers if not name.startswith("wxcourier."))


def assert_letter_is(letter, original, state, reason):
    """The letter is the original byte for byte, with what wxcourier has to say about it."""
    ours, theirs = letter_headers(letter)
    assert (letter.key, letter.value) == (original.key, original.value)
    assert theirs == original.headers
    assert ours["wxcourier.state"] == state, ours
    assert ours["wxcourier.reason"] == reason, ours
    assert ours["wxcourier.source"] == original.source, ours
    assert RFC3339.match(ours["wxcourier.at"]), ours
    assert "wxcourier.error" in ours
