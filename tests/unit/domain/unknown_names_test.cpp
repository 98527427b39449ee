// SPDX-License-Identifier: Apache-2.0
#include "domain/unknown_names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace wxcourier::domain {
namespace {

using std::chrono::minutes;

constexpr steady_time start{std::chrono::hours{1}};

TEST(unknown_names, a_name_has_a_minute_from_its_first_job)
{
    unknown_names names;
    EXPECT_EQ(names.on_seen("new", start), start + seconds{60});
    EXPECT_EQ(names.on_seen("new", start + seconds{59}), start + seconds{60});
    EXPECT_EQ(names.on_seen("other", start + seconds{59}), start + seconds{119});
}

TEST(unknown_names, a_backlog_of_a_mistake_waits_once_and_not_job_by_job)
{
    unknown_names names;
    names.on_seen("mistake", start);
    for (int minute = 1; minute < 100; ++minute) {
        const auto now = start + minutes{minute};
        EXPECT_LE(names.on_seen("mistake", now), now);
    }
}

TEST(unknown_names, a_name_that_was_silent_for_long_is_new_again)
{
    unknown_names names;
    names.on_seen("name", start);
    const auto later = start + minutes{10} + seconds{1};
    EXPECT_EQ(names.on_seen("name", later), later + seconds{60});
}

TEST(unknown_names, a_name_that_was_known_meanwhile_is_new_again)
{
    unknown_names names;
    names.on_seen("name", start);
    names.forget("name");
    const auto later = start + minutes{2};
    EXPECT_EQ(names.on_seen("name", later), later + seconds{60});
}

TEST(unknown_names, a_flood_of_names_takes_no_memory_and_does_not_wait)
{
    unknown_names names;
    for (int i = 0; i < 5000; ++i) {
        const auto until = names.on_seen("name" + std::to_string(i), start);
        EXPECT_EQ(until > start, i < 1000);
    }
    EXPECT_EQ(names.size(), unknown_names::most_names);
    const auto later = start + minutes{11};
    EXPECT_GT(names.on_seen("after-it", later), later) << "old ones make room";
}

TEST(unknown_names, what_no_app_can_be_called_does_not_wait)
{
    unknown_names names;
    for (const auto& each : {std::string{}, std::string(65, 'a'), std::string{"a b"}, std::string{"微信"}})
        EXPECT_EQ(names.on_seen(each, start), start) << each;
    EXPECT_EQ(names.size(), 0U);
}

} // namespace
} // namespace wxcourier::domain
