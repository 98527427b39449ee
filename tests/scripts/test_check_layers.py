"""scripts/check_layers finds what it is there to find."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check(tree, files):
    """Runs check_layers over a tree of `files` (path -> text)."""
    for path, text in files.items():
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return subprocess.run([ROOT / "scripts" / "check_layers", tree], capture_output=True, text=True, check=False)


ALL = {
    "common/time.hpp": "#include <chrono>\n",
    "config/settings.hpp": '#include "common/time.hpp"\n',
    "worker/domain/kinds.hpp": '#include "common/time.hpp"\n',
    "worker/codec/job_codec.hpp": '#include "domain/kinds.hpp"\n',
    "worker/codec/rapidjson.hpp": "#define RAPIDJSON_ASSERT\n#include <rapidjson/reader.h>\n",
    "worker/codec/job_codec.cpp": '#include "codec/rapidjson.hpp"\n#include <rapidjson/document.h>\n',
    "worker/engine/ports.hpp": '#include "codec/job_codec.hpp"\n#include <boost/asio/awaitable.hpp>\n',
    "worker/kafka/job_consumer.cpp": '#include "engine/ports.hpp"\n#include <librdkafka/rdkafka.h>\n',
    "worker/wechat/push_client.cpp": '#include "engine/ports.hpp"\n#include <boost/beast/http.hpp>\n',
    "worker/app.cpp": '#include "config/settings.hpp"\n#include "engine/ports.hpp"\n',
}


def test_a_tree_that_keeps_the_arrows_passes(tmp_path):
    done = check(tmp_path, ALL)
    assert done.returncode == 0, done.stderr
    assert "10 files, 0 broken arrows" in done.stdout


@pytest.mark.parametrize(("path", "text", "complaint"), [
    ("worker/domain/x.cpp", '#include "codec/job_codec.hpp"\n', "domain -> codec is no arrow"),
    ("worker/engine/x.cpp", '\n#include "kafka/x.hpp"\n', "engine -> kafka is no arrow"),
    ("worker/wechat/x.cpp", '#include "kafka/x.hpp"\n', "wechat -> kafka is no arrow"),
    ("worker/kafka/y.cpp", '#include "config/settings.hpp"\n', "kafka -> config is no arrow"),
    ("worker/simulator/x.cpp", '#include "engine/ports.hpp"\n', "simulator -> engine is no arrow"),
    ("common/x.cpp", '#include "worker/domain/kinds.hpp"\n', "common -> domain is no arrow"),
    ("worker/engine/x.cpp", "#include <librdkafka/rdkafka.h>\n", "librdkafka may be included by kafka only"),
    ("worker/wechat/x.cpp", "#include <rapidjson/document.h>\n", "RapidJSON may be included by codec only"),
    ("worker/codec/x.cpp", "#include <rapidjson/document.h>\n", "include codec/rapidjson.hpp before it"),
    ("worker/app_x.cpp", "#include <yaml-cpp/yaml.h>\n", "yaml-cpp may be included by config only"),
    ("worker/engine/x.cpp", "#  include <spdlog/spdlog.h>\n", "spdlog may be included by common/log.cpp only"),
    ("common/metrics.cpp", "#include <prometheus/counter.h>\n", "prometheus-cpp may be included by ops only"),
    ("worker/codec/x.cpp", "#include <boost/asio/ip/tcp.hpp>\n", "Boost.Asio may be included by"),
    ("worker/engine/x.cpp", '#include "engine/gone.hpp"\n', "is no file of this repository"),
    ("worker/drawer/x.cpp", "\n", "belongs to no module"),
])
def test_a_forbidden_include_is_named_with_its_line(tmp_path, path, text, complaint):
    done = check(tmp_path, {**ALL, "worker/kafka/x.hpp": "\n", path: text})
    assert done.returncode == 1
    assert complaint in done.stderr
    line = 2 if text.startswith("\n#") else 1
    assert done.stderr.startswith(f"{path}:{line}: ")


def test_an_empty_tree_does_not_pass(tmp_path):
    assert check(tmp_path, {}).returncode == 1
