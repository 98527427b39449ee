// SPDX-License-Identifier: Apache-2.0
#include "domain/breaker.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;

const steady_time start{hours{1000}};

/// Fails until it opens; returns how many failures that took.
int open(breaker& subject, steady_time now, double jitter)
{
    for (int failures = 1; failures < 1000; ++failures)
        if (subject.on_failure(now, jitter))
            return failures;
    return -1;
}

TEST(breaker, opens_after_so_many_failures_in_a_row)
{
    breaker subject({.failures_to_open = 3, .open_for = {milliseconds{1000}, milliseconds{30'000}}});
    EXPECT_FALSE(subject.on_failure(start, 0));
    EXPECT_FALSE(subject.on_failure(start, 0));
    EXPECT_EQ(subject.state(), breaker_state::closed);
    EXPECT_TRUE(subject.on_failure(start, 0));
    EXPECT_EQ(subject.state(), breaker_state::open);
}

TEST(breaker, starts_to_count_anew_after_a_success)
{
    breaker subject({.failures_to_open = 3, .open_for = {}});
    static_cast<void>(subject.on_failure(start, 0));
    static_cast<void>(subject.on_failure(start, 0));
    EXPECT_FALSE(subject.on_success()) << "it was closed all the time";
    EXPECT_EQ(open(subject, start, 0), 3);
}

TEST(breaker, waits_half_to_all_of_its_time_before_a_probe)
{
    for (const auto& [jitter, wait] : {std::pair{0.0, milliseconds{500}}, std::pair{1.0, milliseconds{1000}}}) {
        breaker subject;
        open(subject, start, jitter);
        EXPECT_EQ(subject.probe_at() - start, wait) << "jitter " << jitter;
    }
}

TEST(breaker, a_failed_probe_opens_it_again_for_longer)
{
    breaker subject;
    open(subject, start, 1.0);
    const milliseconds waits[] = {milliseconds{2000},   milliseconds{4000},   milliseconds{8000},
                                  milliseconds{16'000}, milliseconds{30'000}, milliseconds{30'000}};
    auto now = subject.probe_at();
    for (const auto wait : waits) {
        subject.on_probe_time();
        ASSERT_EQ(subject.state(), breaker_state::half_open);
        ASSERT_TRUE(subject.on_failure(now, 1.0)) << "one failed probe is enough";
        EXPECT_EQ(subject.probe_at() - now, wait);
        now = subject.probe_at();
    }
}

TEST(breaker, a_probe_that_came_through_closes_it_and_forgets_the_long_waits)
{
    breaker subject;
    open(subject, start, 1.0);
    for (int i = 0; i < 5; ++i) {
        subject.on_probe_time();
        static_cast<void>(subject.on_failure(start, 1.0));
    }
    subject.on_probe_time();
    EXPECT_TRUE(subject.on_success());
    EXPECT_EQ(subject.state(), breaker_state::closed);
    EXPECT_EQ(open(subject, start, 1.0), breaker_limits{}.failures_to_open);
    EXPECT_EQ(subject.probe_at() - start, milliseconds{1000});
}

TEST(breaker, late_failures_of_requests_that_were_under_way_do_not_put_the_probe_off)
{
    breaker subject;
    open(subject, start, 1.0);
    const auto probe = subject.probe_at();
    EXPECT_FALSE(subject.on_failure(start + milliseconds{900}, 1.0));
    EXPECT_EQ(subject.probe_at(), probe);
}

TEST(breaker, a_late_answer_of_a_request_that_was_under_way_closes_it)
{
    breaker subject;
    open(subject, start, 1.0);
    EXPECT_TRUE(subject.on_success());
    EXPECT_EQ(subject.state(), breaker_state::closed);
}

} // namespace
} // namespace wxcourier::domain
