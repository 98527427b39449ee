// SPDX-License-Identifier: Apache-2.0
// docs/metrics.md is made from the table of common/metrics.cpp. This test holds the committed page to it;
// `WXCOURIER_WRITE_DOCS=1 build/dev/unit_common --gtest_filter=metrics_page.*` writes it anew.
#include "common/metrics.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace wxcourier {
namespace {

const char* const page_path = WXCOURIER_SOURCE_DIR "/docs/metrics.md";

std::string_view word_of(metric_kind kind)
{
    switch (kind) {
    case metric_kind::counter:
        return "counter";
    case metric_kind::gauge:
        return "gauge";
    case metric_kind::histogram:
        break;
    }
    return "histogram";
}

std::string labels_of(const metric_definition& metric)
{
    std::string text;
    for (const auto label : metric.labels)
        text += (text.empty() ? "`" : ", `") + std::string(label) + "`";
    return text;
}

std::string buckets_of(const metric_definition& metric)
{
    std::ostringstream text;
    for (const auto bound : metric.buckets)
        text << (text.tellp() == 0 ? "" : ", ") << bound;
    return text.str();
}

std::string render()
{
    std::string page = R"(<!-- Made from common/metrics.cpp by tests/unit/common/metrics_page_test.cpp. -->
# Metrics

`GET /metrics` of `http.listen`, in Prometheus' text format. Every name begins with `wxcourier_`. No label holds an openid or a
job's id: the number of series is bounded by apps, kinds, reasons and partitions. Series appear when there is something to
count; a rate over one that is not there yet is no answer, not zero.

`deploy/prometheus/alerts.yaml` has alert rules and `deploy/grafana/wxcourier.json` a dashboard made of these;
[operations.md](operations.md) says what to do when an alert fires.

| metric | type | labels | what it says |
| --- | --- | --- | --- |
)";
    for (const auto& each : metric_table())
        page += "| `" + std::string(each.name) + "` | " + std::string(word_of(each.kind)) + " | " + labels_of(each) +
                " | " + std::string(each.help) + " |\n";
    page += R"(
A histogram has `_bucket`, `_sum` and `_count` series. The upper bounds of the buckets:

| histogram | bounds, in seconds |
| --- | --- |
)";
    for (const auto& each : metric_table())
        if (each.kind == metric_kind::histogram)
            page += "| `" + std::string(each.name) + "` | " + buckets_of(each) + " |\n";
    return page;
}

TEST(metrics_page, says_what_the_table_says)
{
    if (std::getenv("WXCOURIER_WRITE_DOCS") != nullptr)
        std::ofstream{page_path} << render();
    std::ostringstream committed;
    committed << std::ifstream{page_path}.rdbuf();
    EXPECT_EQ(committed.str(), render()) << "write it anew with WXCOURIER_WRITE_DOCS=1";
}

} // namespace
} // namespace wxcourier
