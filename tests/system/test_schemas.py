# SPDX-License-Identifier: Apache-2.0
"""Holds config/schema and the code together: both judge the same jobs, and must agree."""
import functools
import json
import pathlib

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = json.loads((ROOT / "tests/unit/codec/job_table.json").read_text(encoding="utf-8"))


@functools.cache
def validator(name):
    schema = json.loads((ROOT / "config/schema" / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def merged(target, patch):
    """RFC 7396, as its section 2 says it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def job_of(row):
    return merged(TABLE["bases"][row["base"]], row["change"]) if "base" in row else row["job"]


@pytest.mark.parametrize("row", TABLE["jobs"], ids=lambda row: row["name"])
def test_job_schema_agrees_with_the_decoder(row):
    accepted_by_decoder = "error" not in row
    accepted_by_schema = validator("job.schema.json").is_valid(job_of(row))
    # `beyond_schema` marks what only the decoder can know; the schema must not pretend to.
    assert accepted_by_schema == (accepted_by_decoder or row.get("beyond_schema", False))


def test_the_article_is_valid():
    schema = validator("job.schema.json")
    lines = (ROOT / "config/examples/article.ndjson").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    for line in lines:
        schema.validate(json.loads(line))
