"""The schemas of what wxcourier writes, held to the golden files that the unit tests hold to the code."""
import copy
import json
import pathlib

import jsonschema
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "config" / "schema"
STATUS = json.loads((SCHEMAS / "status.schema.json").read_text())
ASYNCAPI = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text())
STATUSES = [json.loads(line) for line in (ROOT / "tests" / "golden" / "status.ndjson").read_text().splitlines()]
LETTERS = [json.loads(line)
           for line in (ROOT / "tests" / "golden" / "dead_letter_headers.ndjson").read_text().splitlines()]

status_schema = jsonschema.Draft202012Validator(STATUS, format_checker=jsonschema.FormatChecker())


def status_in(state):
    """A copy of the golden status in that state."""
    return copy.deepcopy(next(status for status in STATUSES if status["state"] == state))


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(STATUS)


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: status["state"])
def test_every_state_fits_the_schema(status):
    status_schema.validate(status)
    assert set(status) <= set(STATUS["properties"]), "a member that the schema does not describe"


def test_there_is_a_golden_status_for_every_state():
    assert [status["state"] for status in STATUSES] == STATUS["properties"]["state"]["enum"]


@pytest.mark.parametrize("state, change", [
    ("sent", {"version": 2}),
    ("sent", {"reason": "expired"}),
    ("sent", {"msgid": 3712345678901234567}),
    ("sent", {"latency_ms": -1}),
    ("sent", {"finished_at": "2026-11-22T08:15:30Z"}),
    ("sent", {"finished_at": None}),
    ("sent", {"source": None}),
    ("sent", {"labels": {"campaign": 1}}),
    ("failed", {"reason": ...}),
    ("failed", {"state": "lost"}),
    ("rejected", {"id": ...}),
    ("rejected", {"finished_at": ...}),
    ("deferred", {"retry_at": ...}),
    ("deferred", {"finished_at": "2026-11-22T08:15:30.000Z"}),
    ("event", {"id": "order-42"}),
])
def test_the_schema_refuses(state, change):
    status = status_in(state)
    for member, value in change.items():
        if value is ...:
            del status[member]
        else:
            status[member] = value
    assert not status_schema.is_valid(status)


def references(node):
    """Every $ref below a node."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@pytest.mark.parametrize("reference", sorted(set(references(ASYNCAPI))))
def test_what_the_asyncapi_document_refers_to_is_there(reference):
    if not reference.startswith("#/"):
        json.loads((SCHEMAS / reference).read_text())
        return
    node = ASYNCAPI
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]


def test_the_asyncapi_document_describes_the_topics():
    assert {channel["address"] for channel in ASYNCAPI["channels"].values()} == {
        "push.jobs", "push.status", "push.dead", "push.delayed.{length}"}
    assert {(operation["channel"]["$ref"].rpartition("/")[2], operation["action"])
            for operation in ASYNCAPI["operations"].values()} == {
                ("jobs", "receive"), ("status", "send"), ("deadLetter", "send"), ("delayed", "send"),
                ("delayed", "receive")}


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter["wxcourier.reason"])
def test_the_headers_of_dead_letters_fit_the_asyncapi_document(letter):
    schema = ASYNCAPI["components"]["schemas"]["deadLetterHeaders"]
    jsonschema.Draft202012Validator(schema).validate(letter)
    assert set(letter) <= set(schema["properties"])
