// SPDX-License-Identifier: Apache-2.0
#include "common/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace wxcourier {
namespace {

using testing::ElementsAre;

TEST(metric_table, keeps_the_naming_conventions)
{
    std::set<std::string_view> names;
    for (const auto& each : metric_table()) {
        EXPECT_TRUE(names.insert(each.name).second) << each.name << " twice";
        EXPECT_TRUE(each.name.starts_with("wxcourier_")) << each.name;
        EXPECT_EQ(each.name.ends_with("_total"), each.kind == metric_kind::counter) << each.name;
        EXPECT_EQ(each.kind == metric_kind::histogram, !each.buckets.empty()) << each.name;
        EXPECT_TRUE(std::is_sorted(each.buckets.begin(), each.buckets.end())) << each.name;
        EXPECT_FALSE(each.help.empty()) << each.name;
        EXPECT_EQ(each.help.back(), '.') << each.name;
        for (const auto label : each.labels)
            EXPECT_EQ(label.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << each.name;
    }
}

TEST(metric_table, has_no_label_whose_values_are_without_bound)
{
    for (const auto& each : metric_table())
        for (const auto label : each.labels)
            EXPECT_FALSE(label == "touser" || label == "openid" || label == "id" || label == "offset") << each.name;
}

TEST(metrics_registry, has_a_family_for_every_row)
{
    metrics_registry metrics;
    EXPECT_EQ(metrics.families().size(), metric_table().size());
    EXPECT_THROW(metrics["wxcourier_no_such_metric"], std::out_of_range);
}

TEST(metric_family, keeps_a_series_for_each_set_of_label_values)
{
    metrics_registry metrics;
    auto& family = metrics["wxcourier_jobs_read_total"];
    auto& a = family.with({"a"});
    a.add();
    family.with({"b"}).add(2);
    for (int i = 0; i < 100; ++i)
        family.with({"c" + std::to_string(i)});
    a.add();
    EXPECT_EQ(family.with({"a"}).value(), 2) << "the reference stays good";
    EXPECT_EQ(family.with({"b"}).value(), 2);
    EXPECT_THROW(family.with({"a", "b"}), std::invalid_argument);
    family.remove({"a"});
    EXPECT_EQ(family.with({"a"}).value(), 0);
}

TEST(metric_series, counts_an_observation_in_the_lowest_bucket_that_holds_it)
{
    const std::vector<double> bounds{1, 2, 5};
    metric_series series(bounds);
    for (const double value : {0.5, 1.0, 1.5, 5.0, 5.1, 100.0})
        series.observe(value);
    EXPECT_THAT(series.buckets(), ElementsAre(2, 1, 1, 2));
    EXPECT_DOUBLE_EQ(series.value(), 113.1);
}

TEST(metrics_registry, refreshes_gauges_before_an_exposition)
{
    metrics_registry metrics;
    int calls = 0;
    metrics.before_exposition([&calls] { ++calls; });
    metrics.refresh();
    metrics.refresh();
    EXPECT_EQ(calls, 2);
}

} // namespace
} // namespace wxcourier
