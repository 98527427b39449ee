"""docs/tracing.md: the collector's configuration and the example are what they claim to be."""
import json
import re

import yaml
from documents import ROOT

PAGE = (ROOT / "docs" / "tracing.md").read_text(encoding="utf-8")


def blocks(language):
    """The page's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_collectors_pipelines_are_connected():
    (text,) = blocks("yaml")
    config = yaml.safe_load(text)
    known = {name for part in ("receivers", "connectors", "exporters") for name in config[part]}
    pipelines = config["service"]["pipelines"]
    for pipeline in pipelines.values():
        assert set(pipeline["receivers"]) | set(pipeline["exporters"]) <= known
    feeding = [name for name, pipeline in pipelines.items() if "otlpjson" in pipeline["exporters"]]
    fed = [name for name, pipeline in pipelines.items() if "otlpjson" in pipeline["receivers"]]
    assert [name.partition("/")[0] for name in feeding + fed] == ["logs", "traces"], "what otlpjson turns into what"


def test_the_filter_lets_spans_through():
    (text,) = blocks("yaml")
    operators = yaml.safe_load(text)["receivers"]["filelog"]["operators"]
    (expression,) = [each["expr"] for each in operators if each["type"] == "filter"]
    prefix = json.loads(re.search(r'startsWith ("(?:[^"\\]|\\.)*")', expression).group(1))
    assert blocks("json")[0].startswith(prefix)


def test_the_example_is_a_line_with_a_span():
    (text,) = blocks("json")
    line = json.loads(text)
    # As the connector looks for it: open-telemetry/opentelemetry-collector-contrib, connector/otlpjsonconnector.
    assert re.match(r'^\{\s*"resourceSpans"\s*:\s*\[', text)
    (span,) = line["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
    assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
    assert span["spanId"] == line["span_id"]
    assert span["traceId"] == line["trace_id"]
    assert int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]) == int(line["latency_ms"]) * 1_000_000
