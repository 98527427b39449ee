// SPDX-License-Identifier: Apache-2.0
// What an app may have in memory, and which jobs that came back are known already.
#include "engine/known_sources.hpp"
#include "engine/memory_shares.hpp"

#include <gtest/gtest.h>

namespace wxcourier::test {
namespace {

using domain::priority;
using engine::known_sources;

class shares_test : public ::testing::Test {
protected:
    shares_test()
    {
        options.apps.resize(2);
        options.admission.messages = 900;
        options.admission.bytes = 1000;
    }

    engine::engine_options options;
};

TEST_F(shares_test, an_app_alone_gets_half_and_two_get_a_third_each)
{
    engine::memory_shares shares(options);
    std::size_t used = 0;
    while (!shares.full(0, priority::normal, 1, used, 0)) {
        shares.add_message(0);
        ++used;
    }
    EXPECT_EQ(used, 450U);
    for (int i = 0; i < 1000; ++i)
        for (domain::app_index app = 0; app < 2; ++app)
            if (!shares.full(app, priority::normal, 1, used, 0)) {
                shares.add_message(app);
                ++used;
            } else if (app == 0 && i % 3 == 0) {
                shares.remove_message(0);
                --used;
            }
    EXPECT_NEAR(static_cast<double>(used), 600, 2);
}

TEST_F(shares_test, urgent_jobs_may_have_more_and_an_app_without_any_some)
{
    engine::memory_shares shares(options);
    EXPECT_FALSE(shares.full(0, priority::normal, 256, 900, 0));
    for (int i = 0; i < 450; ++i)
        shares.add_message(0);
    EXPECT_TRUE(shares.full(0, priority::normal, 1, 450, 0));
    EXPECT_FALSE(shares.full(0, priority::high, 1, 450, 0));
}

TEST_F(shares_test, bytes_count_as_well)
{
    engine::memory_shares shares(options);
    shares.add_message(0);
    const auto held = shares.hold(0, 501);
    EXPECT_TRUE(shares.full(0, priority::normal, 1, 1, 501));
    EXPECT_FALSE(shares.full(0, priority::normal, 1, 1, 400));
}

class read_ahead : public shares_test {
protected:
    static constexpr std::size_t in_flight = 100;
    static constexpr std::size_t enough = 3 * in_flight + 256;

    read_ahead()
    {
        for (auto& each : options.apps) {
            each.limits.concurrency = 10;
            each.limits.burst = 1000;
            queue.add_app(engine::queue_limits_of(each));
        }
    }
    /// Of both apps as many requests are under way as may be: of the first one, the even ones of twenty messages.
    void saturate()
    {
        for (domain::queue_item item = 0; item < 20; ++item)
            queue.push(item, {item % 2, 0}, priority::normal, now);
        while (queue.pop(now)) {
        }
    }
    void add(domain::app_index app, std::size_t messages)
    {
        for (std::size_t i = 0; i < messages; ++i)
            shares.add_message(app);
    }
    /// A tenth of a second in which so many end, and as many come.
    void pass(domain::app_index app, std::size_t ended)
    {
        for (std::size_t i = 0; i < ended; ++i)
            shares.note_ended(app);
        shares.look_who_is_quick();
    }
    [[nodiscard]] std::size_t worth() const { return shares.worth_reading(queue, uncommitted, in_flight); }

    steady_time now{seconds{1000}};
    std::size_t uncommitted = 0;
    engine::memory_shares shares{options};
    domain::send_queue queue{{}};
};

TEST_F(read_ahead, an_app_that_sends_fast_has_enough_with_what_it_sends_next)
{
    saturate();
    EXPECT_EQ(worth(), enough);
    add(0, enough - 1);
    EXPECT_EQ(worth(), 1U);
    add(0, 10);
    EXPECT_EQ(worth(), 0U);
    for (int i = 0; i < 100; ++i)
        pass(0, 1000);
    EXPECT_EQ(worth(), 0U);
}

TEST_F(read_ahead, of_one_that_is_slow_as_much_is_read_as_memory_allows)
{
    saturate();
    add(0, enough);
    for (int i = 0; i < 4; ++i)
        pass(0, 999);
    EXPECT_EQ(worth(), 0U) << "half a second is no judgement";
    pass(0, 999);
    EXPECT_EQ(worth(), enough);
    pass(0, 1000);
    EXPECT_EQ(worth(), 0U) << "it is fast again";
}

TEST_F(read_ahead, an_app_that_could_send_more_at_once_gets_more)
{
    add(0, enough);
    EXPECT_EQ(worth(), 0U) << "it waits for its token and its rate, as every app does at first";
    saturate();
    EXPECT_EQ(worth(), 0U);
    for (domain::queue_item item = 0; item < 10; item += 2)
        queue.release(item, now);
    EXPECT_EQ(worth(), 0U);
    queue.release(10, now);
    EXPECT_EQ(worth(), enough) << "as when its call is parked";
    uncommitted = 1;
    EXPECT_EQ(worth(), 0U) << "it could not";
}

TEST_F(read_ahead, an_app_with_nothing_is_not_slow)
{
    saturate();
    for (int i = 0; i < 100; ++i)
        pass(0, 0);
    add(0, enough);
    EXPECT_EQ(worth(), 0U);
}

TEST(known_sources, the_second_copy_is_known_while_the_first_is_in_memory_and_after)
{
    known_sources known;
    EXPECT_TRUE(known.begin({"push.jobs", 1, 7}, 1));
    EXPECT_FALSE(known.begin({"push.jobs", 1, 7}, 2));
    EXPECT_TRUE(known.begin({"push.jobs", 1, 8}, 2));
    EXPECT_TRUE(known.begin({"push.jobs", 2, 7}, 2));
    EXPECT_TRUE(known.begin({"other", 1, 7}, 2));
    known.on_ended({"push.jobs", 1, 7}, 1);
    EXPECT_FALSE(known.begin({"push.jobs", 1, 7}, 2));
}

TEST(known_sources, what_moves_on_or_is_let_go_comes_again)
{
    known_sources known;
    EXPECT_TRUE(known.begin({"push.jobs", 1, 7}, 1));
    known.on_moved({"push.jobs", 1, 7}, 1);
    EXPECT_TRUE(known.begin({"push.jobs", 1, 7}, 2));
    known.let_go({2});
    EXPECT_TRUE(known.begin({"push.jobs", 1, 7}, 3));
    known.on_ended({"push.jobs", 1, 7}, 2);
    EXPECT_FALSE(known.begin({"push.jobs", 1, 7}, 4)) << "an end of an assignment that has gone changes nothing";
    known.let_go({3});
    EXPECT_TRUE(known.begin({"push.jobs", 1, 7}, 4));
}

TEST(known_sources, only_the_newest_that_ended_are_remembered)
{
    known_sources known(2);
    for (std::int64_t offset = 0; offset < 3; ++offset) {
        EXPECT_TRUE(known.begin({"push.jobs", 0, offset}, 1));
        known.on_ended({"push.jobs", 0, offset}, 1);
    }
    EXPECT_TRUE(known.begin({"push.jobs", 0, 0}, 1));
    EXPECT_FALSE(known.begin({"push.jobs", 0, 2}, 1));
}

} // namespace
} // namespace wxcourier::test
