// SPDX-License-Identifier: Apache-2.0
#include "ops/exposition.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

namespace wxcourier::ops {
namespace {

prometheus::ClientMetric to_client_metric(const metric_definition& definition, const std::vector<std::string>& labels,
                                          const metric_series& series)
{
    prometheus::ClientMetric metric;
    for (std::size_t i = 0; i < labels.size(); ++i)
        metric.label.push_back({std::string(definition.labels[i]), labels[i]});
    switch (definition.kind) {
    case metric_kind::counter:
        metric.counter.value = series.value();
        break;
    case metric_kind::gauge:
        metric.gauge.value = series.value();
        break;
    case metric_kind::histogram: {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < series.buckets().size(); ++i) {
            sum += series.buckets()[i];
            const double bound =
                i < definition.buckets.size() ? definition.buckets[i] : std::numeric_limits<double>::infinity();
            metric.histogram.bucket.push_back({sum, bound});
        }
        metric.histogram.sample_count = sum;
        metric.histogram.sample_sum = series.value();
        break;
    }
    }
    return metric;
}

prometheus::MetricType to_type(metric_kind kind)
{
    switch (kind) {
    case metric_kind::counter:
        return prometheus::MetricType::Counter;
    case metric_kind::gauge:
        return prometheus::MetricType::Gauge;
    case metric_kind::histogram:
        break;
    }
    return prometheus::MetricType::Histogram;
}

} // namespace

std::string expose(metrics_registry& metrics)
{
    metrics.refresh();
    std::vector<prometheus::MetricFamily> families;
    for (const auto& definition : metric_table()) {
        const auto& family = metrics[definition.name];
        if (family.series().empty())
            continue;
        prometheus::MetricFamily exposed;
        exposed.name = std::string(definition.name);
        exposed.help = std::string(definition.help);
        exposed.type = to_type(definition.kind);
        for (const auto& [labels, series] : family.series())
            if (!metrics.hidden(definition, labels))
                exposed.metric.push_back(to_client_metric(definition, labels, series));
        if (exposed.metric.empty())
            continue;
        families.push_back(std::move(exposed));
    }
    std::ostringstream out;
    prometheus::TextSerializer{}.Serialize(out, families);
    return out.str();
}

} // namespace wxcourier::ops
