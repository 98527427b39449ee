"""What the tests of deploy/ read: the repository's root and the documented metrics."""
import pathlib
import re
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[2]


def promtool():
    """The tool, from the path or from where scripts/install-packages puts it."""
    return shutil.which("promtool") or str(ROOT / "build" / "tools" / "promtool")


def documented_metrics():
    """Each metric of docs/metrics.md, which a unit test holds to the code: its labels."""
    rows = re.findall(r"^\| `(wxcourier_\w+)` \| (\w+) \| (.*?) \|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    metrics = {}
    for name, kind, labels in rows:
        known = set(re.findall(r"`(\w+)`", labels))
        for series in (f"{name}_bucket", f"{name}_sum", f"{name}_count") if kind == "histogram" else (name,):
            metrics[series] = known | ({"le"} if series.endswith("_bucket") else set())
    return metrics


def misuse(expression, metrics):
    """What an expression of PromQL asks for that the program does not have: names and labels."""
    wrong = [name for name in re.findall(r"\bwxcourier_\w+", expression) if name not in metrics]
    for name, matchers in re.findall(r"\b(wxcourier_\w+)\{([^}]*)\}", expression):
        wrong += [f"{name}{{{label}}}" for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)
                  if label not in metrics.get(name, set()) | {"job", "instance"}]
    return wrong
