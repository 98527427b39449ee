// SPDX-License-Identifier: Apache-2.0
#include "codec/delayed_codec.hpp"
#include "codec/index_ranges.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wxcourier::codec {
namespace {

using domain::delayed_job;
using testing::ElementsAre;
using testing::Pair;

const wall_time enqueued{milliseconds{1'795'335'330'123}};

delayed_job plain_job()
{
    delayed_job job;
    job.source = {"push.jobs", 3, 123'456};
    job.due = enqueued + std::chrono::hours{1};
    job.enqueued_at = enqueued;
    job.waits_since = enqueued;
    return job;
}

std::optional<delayed_job> decode(const std::vector<std::pair<std::string, std::string>>& headers)
{
    const std::vector<std::pair<std::string_view, std::string_view>> views(headers.begin(), headers.end());
    return decode_delayed_headers(views);
}

TEST(delayed_codec, the_headers_have_a_stable_form)
{
    EXPECT_THAT(delayed_headers(plain_job()),
                ElementsAre(Pair("wxcourier.delayed", "1"), Pair("wxcourier.source", "push.jobs/3/123456"),
                            Pair("wxcourier.due", "2026-11-22T09:15:30.123Z"),
                            Pair("wxcourier.enqueued_at", "2026-11-22T08:15:30.123Z"), Pair("wxcourier.attempts", "0"),
                            Pair("wxcourier.waits_since", "2026-11-22T08:15:30.123Z")));
}

TEST(delayed_codec, what_a_job_had_come_to_has_a_stable_form)
{
    auto job = plain_job();
    job.end = domain::wait_end::known;
    job.reason = "quota_exhausted";
    job.reported = true;
    job.finished = {{0, 99}, {731, 731}};
    job.failed = {{5, 5}};
    job.failed_for = "not_subscribed";
    job.attempted = {{.index = 100,
                      .attempts = 2,
                      .retries = 1,
                      .active_for = milliseconds{4500},
                      .first_unknown = enqueued,
                      .errcode = -1},
                     {.index = 101, .attempts = 3, .first_unknown = std::nullopt, .errcode = std::nullopt}};
    EXPECT_THAT(delayed_headers(job),
                ElementsAre(Pair("wxcourier.delayed", "1"), Pair("wxcourier.source", "push.jobs/3/123456"),
                            Pair("wxcourier.due", "2026-11-22T09:15:30.123Z"),
                            Pair("wxcourier.enqueued_at", "2026-11-22T08:15:30.123Z"), Pair("wxcourier.attempts", "3"),
                            Pair("wxcourier.due_is_exact", "1"), Pair("wxcourier.waits_for", "quota_exhausted"),
                            Pair("wxcourier.waits_since", "2026-11-22T08:15:30.123Z"), Pair("wxcourier.deferred", "1"),
                            Pair("wxcourier.finished", "0-99,731"), Pair("wxcourier.failed", "5"),
                            Pair("wxcourier.failed_for", "not_subscribed"),
                            Pair("wxcourier.attempted", "100:2:1:4500:1795335330123:-1,101:3:0:0::")));
    EXPECT_EQ(decode(delayed_headers(job)), job);
    EXPECT_EQ(decode(delayed_headers(plain_job())), plain_job());
}

TEST(delayed_codec, the_attempts_and_what_may_have_arrived_have_a_stable_form)
{
    auto job = plain_job();
    job.failed = {{5, 6}};
    job.failed_for = "not_subscribed";
    job.unknown = {{6, 6}};
    job.failure_text = "user is unsubscribed";
    job.failure.index = 6;
    job.failure.attempts = 2;
    job.failure.notes = {{{enqueued, milliseconds{3000}, std::nullopt, 0, domain::transport_failure::timeout},
                          {enqueued, milliseconds{21}, 43004}},
                         2};
    job.attempted = {{.index = 7, .attempts = 20, .first_unknown = std::nullopt, .errcode = -1, .notes = {{}, 0}},
                     {.index = 8,
                      .attempts = 1,
                      .first_unknown = std::nullopt,
                      .errcode = std::nullopt,
                      .notes = {{{enqueued, milliseconds{7}, std::nullopt, 503}}, 1}}};
    const auto headers = delayed_headers(job);
    EXPECT_THAT(headers,
                testing::IsSupersetOf(
                    {Pair("wxcourier.failed_unknown", "6"), Pair("wxcourier.failed_error", "user is unsubscribed"),
                     Pair("wxcourier.failed_attempts", "2:6:2:1795335330123/3000///timeout|1795335330123/21/43004//"),
                     Pair("wxcourier.attempted", "7:20:0:0::-1,8:1:0:0::"),
                     Pair("wxcourier.attempts_at", "8:1:1795335330123/7//503/")}));
    EXPECT_EQ(decode(headers), job);
    job.unknown.emplace();
    EXPECT_EQ(decode(delayed_headers(job)), job) << "that none may have arrived is told, too";
}

TEST(delayed_codec, the_notes_of_any_number_of_attempts_stay_within_a_header)
{
    auto job = plain_job();
    for (int i = 0; i < 10'000; ++i)
        job.attempted.push_back({.index = i,
                                 .attempts = 1,
                                 .first_unknown = std::nullopt,
                                 .errcode = std::nullopt,
                                 .notes = {{{enqueued, milliseconds{7}, -1}}, 1}});
    const auto headers = delayed_headers(job);
    EXPECT_EQ(headers.back().first, "wxcourier.attempts_at");
    EXPECT_LE(headers.back().second.size(), 16U * 1024);
    const auto read = decode(headers);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->attempted.size(), 10'000U);
    EXPECT_EQ(read->attempted[0].notes, job.attempted[0].notes);
}

TEST(delayed_codec, passes_over_headers_and_versions_of_a_later_release)
{
    auto headers = delayed_headers(plain_job());
    headers[0].second = "2";
    headers.emplace_back("wxcourier.mood", "fine");
    EXPECT_EQ(decode(headers), plain_job());
}

TEST(delayed_codec, without_its_source_time_or_age_a_record_is_nobodys)
{
    for (const std::size_t missing : {0U, 1U, 2U, 3U}) {
        auto headers = delayed_headers(plain_job());
        headers.erase(headers.begin() + static_cast<std::ptrdiff_t>(missing));
        EXPECT_FALSE(decode(headers)) << missing;
    }
    for (const auto* const source : {"", "push.jobs", "push.jobs/3", "push.jobs/3/", "push.jobs/x/1", "push.jobs/3/-1",
                                     "/3/1", "push.jobs/3/1/2", "push.jobs/99999999999/1"})
    {
        auto headers = delayed_headers(plain_job());
        headers[1].second = source;
        EXPECT_FALSE(decode(headers)) << source;
    }
    EXPECT_FALSE(decode({}));
}

TEST(delayed_codec, what_is_damaged_beyond_that_costs_no_more_than_itself)
{
    auto headers = delayed_headers(plain_job());
    headers.emplace_back("wxcourier.finished", "7-3");
    headers.emplace_back("wxcourier.attempted", "x:1:1:1::,4:2:0:7::,,9");
    headers.emplace_back("wxcourier.attempts_at", "x,4:2:y/3|7/8/-1//|,5:1:7/8///");
    headers.emplace_back("wxcourier.failed_attempts", "2:x:1:7/8///");
    const auto job = decode(headers);
    ASSERT_TRUE(job);
    EXPECT_TRUE(job->finished.empty());
    ASSERT_EQ(job->attempted.size(), 1U);
    EXPECT_EQ(job->attempted[0].index, 4);
    EXPECT_EQ(job->attempted[0].attempts, 2);
    ASSERT_EQ(job->attempted[0].notes.kept.size(), 1U);
    EXPECT_EQ(job->attempted[0].notes.kept[0].errcode, -1);
    EXPECT_EQ(job->failure.attempts, 0);
}

TEST(index_ranges, are_read_as_they_are_written)
{
    const std::vector<domain::index_range> ranges{{0, 99}, {731, 731}, {733, 740}};
    EXPECT_EQ(encode_index_ranges(ranges), "0-99,731,733-740");
    EXPECT_EQ(decode_index_ranges("0-99,731,733-740"), ranges);
    EXPECT_EQ(decode_index_ranges(""), std::vector<domain::index_range>{});
    for (const auto* const text : {",", "1,", "1-", "-1", "3-2", "1,1", "1,2", "5,3", "a", "1 ", "1-2-3"})
        EXPECT_FALSE(decode_index_ranges(text)) << text;
}

} // namespace
} // namespace wxcourier::codec
