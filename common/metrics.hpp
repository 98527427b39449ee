// SPDX-License-Identifier: Apache-2.0
/// @file
/// Counters the loop adds to while it works, and the table that documents them. Plain numbers: only the loop's thread
/// touches them, and /metrics is served by that same loop. The text exposition is ops/'s, by prometheus-cpp.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier {

enum class metric_kind : std::uint8_t { counter, gauge, histogram };

/// One row of the metric table: everything that /metrics and docs/metrics.md say about it.
struct metric_definition {
    std::string_view name; ///< `wxcourier_…`, by Prometheus' naming conventions.
    metric_kind kind;
    std::vector<std::string_view> labels; ///< Names of its labels; values must be few (never an openid or a job's id).
    std::string_view help;
    std::vector<double> buckets = {}; ///< Upper bounds, ascending; for histograms only.
};

/// One time series. Add to it through the reference that `metric_family::with` gave; the reference lives as long as the
/// registry, so a hot path looks it up once.
class metric_series {
public:
    explicit metric_series(std::span<const double> bounds) : bounds_(bounds), buckets_(bounds.size() + 1) {}

    void add(double amount = 1) noexcept { value_ += amount; }
    void set(double value) noexcept { value_ = value; }
    /// Counts one observation of a histogram.
    void observe(double value) noexcept;

    [[nodiscard]] double value() const noexcept { return value_; } ///< Counter or gauge; a histogram's sum.
    [[nodiscard]] std::span<const std::uint64_t> buckets() const noexcept { return buckets_; } ///< Not cumulative.

private:
    std::span<const double> bounds_;
    std::vector<std::uint64_t> buckets_;
    double value_ = 0;
};

/// All series of one metric.
class metric_family {
public:
    explicit metric_family(metric_definition definition) : definition_(std::move(definition)) {}
    metric_family(const metric_family&) = delete;
    metric_family& operator=(const metric_family&) = delete;

    /// The series with these label values, in the order of the definition's labels; made when it is new.
    metric_series& with(const std::vector<std::string>& label_values = {});
    /// Forgets all series. References to them end here.
    void clear() { series_.clear(); }
    /// Forgets a series, such as that of a partition that went. References to it end here.
    void remove(const std::vector<std::string>& label_values) { series_.erase(label_values); }

    [[nodiscard]] const metric_definition& definition() const noexcept { return definition_; }
    [[nodiscard]] const std::map<std::vector<std::string>, metric_series>& series() const noexcept { return series_; }

private:
    metric_definition definition_;
    std::map<std::vector<std::string>, metric_series> series_;
};

/// The process's metrics: one family for each row of `metric_table()`. Not thread-safe.
class metrics_registry {
public:
    metrics_registry();
    metrics_registry(const metrics_registry&) = delete;
    metrics_registry& operator=(const metrics_registry&) = delete;

    /// The family of that name. The name must stand in the table (std::out_of_range otherwise).
    metric_family& operator[](std::string_view name);
    [[nodiscard]] const std::map<std::string_view, std::unique_ptr<metric_family>>& families() const noexcept
    {
        return families_;
    }

    /// Leaves series with that label's value out of what is exposed until `show`. References to them stay good, and
    /// what is added meanwhile is not lost: an app that is taken out of the configuration may still have something
    /// under way.
    void hide(std::string_view label, const std::string& value) { hidden_[std::string(label)].insert(value); }
    void show(std::string_view label, const std::string& value) { hidden_[std::string(label)].erase(value); }
    /// Whether a series with these label values is left out.
    [[nodiscard]] bool hidden(const metric_definition& of, const std::vector<std::string>& label_values) const;

    /// Has `refresh` called before each exposition, for gauges that are read off something rather than kept up to date.
    void before_exposition(std::function<void()> refresh) { refreshers_.push_back(std::move(refresh)); }
    void refresh();

private:
    std::map<std::string_view, std::unique_ptr<metric_family>> families_;
    std::vector<std::function<void()>> refreshers_;
    std::map<std::string, std::set<std::string>, std::less<>> hidden_; ///< Values, by label.
};

/// Every metric there is, in the order of docs/metrics.md.
std::span<const metric_definition> metric_table();

} // namespace wxcourier
