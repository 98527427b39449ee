// SPDX-License-Identifier: Apache-2.0
#include "domain/send_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;
using testing::ElementsAre;

const steady_time start{hours{1000}};
constexpr app_limits generous{1e6, 1e6, 100'000, 8};

/// Everything that may go now, in order.
std::vector<queue_item> pop_all(send_queue& queue, steady_time now)
{
    std::vector<queue_item> items;
    while (const auto item = queue.pop(now))
        items.push_back(*item);
    return items;
}

TEST(send_queue, gives_messages_in_the_order_they_came)
{
    send_queue queue({generous});
    for (const queue_item item : {5U, 3U, 4U})
        queue.push(item, {0, 0}, priority::normal, start);
    EXPECT_EQ(queue.queued(0), 3U);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(5, 3, 4));
    EXPECT_EQ(queue.queued(0), 0U);
    EXPECT_EQ(queue.in_flight(0), 3U);
}

TEST(send_queue, gives_nothing_before_its_time)
{
    send_queue queue({generous});
    queue.push(1, {0, 0}, priority::normal, start + seconds{5});
    queue.push(2, {0, 0}, priority::normal, start + seconds{2});
    EXPECT_EQ(queue.pop(start), std::nullopt);
    EXPECT_EQ(queue.next_wakeup(), start + seconds{2});
    EXPECT_THAT(pop_all(queue, start + seconds{2}), ElementsAre(2));
    EXPECT_EQ(queue.next_wakeup(), start + seconds{5});
    EXPECT_THAT(pop_all(queue, start + seconds{5}), ElementsAre(1));
    EXPECT_EQ(queue.next_wakeup(), std::nullopt);
}

TEST(send_queue, apps_take_turns_however_long_their_lines_are)
{
    send_queue queue({generous, generous, generous});
    for (queue_item item = 0; item < 1000; ++item)
        queue.push(item, {0, 0}, priority::normal, start);
    for (queue_item item = 1000; item < 1005; ++item)
        queue.push(item, {1, 0}, priority::normal, start);
    queue.push(2000, {2, 0}, priority::low, start);
    auto order = pop_all(queue, start);
    const auto place = [&order](queue_item item) {
        return std::find(order.begin(), order.end(), item) - order.begin();
    };
    EXPECT_LT(place(2000), 3);
    EXPECT_LT(place(1004), 15);
    EXPECT_EQ(order.size(), 1006U);
}

TEST(send_queue, lanes_of_an_app_take_turns)
{
    send_queue queue({generous});
    for (queue_item item = 0; item < 100; ++item)
        queue.push(item, {0, 0}, priority::normal, start);
    queue.push(1000, {0, 5}, priority::normal, start);
    queue.push(1001, {0, 5}, priority::normal, start);
    const auto order = pop_all(queue, start);
    EXPECT_LT(std::find(order.begin(), order.end(), 1001U) - order.begin(), 5);
}

TEST(send_queue, lanes_take_turns_under_a_rate_as_well)
{
    send_queue queue({{10, 1, 1000, 8}});
    for (queue_item item = 0; item < 200; ++item)
        queue.push(item, {0, item % 2}, priority::normal, start);
    std::map<unsigned, int> given;
    auto now = start;
    for (int i = 0; i < 100; ++i) {
        for (const auto item : pop_all(queue, now))
            ++given[item % 2];
        now = *queue.next_wakeup();
    }
    EXPECT_EQ(given[0], 50);
    EXPECT_EQ(given[1], 50);
}

TEST(send_queue, higher_priorities_go_first_and_lower_ones_still_move)
{
    send_queue queue({generous});
    for (queue_item item = 0; item < 640; ++item) {
        queue.push(item, {0, 0}, priority::high, start);
        queue.push(1000 + item, {0, 0}, priority::normal, start);
        queue.push(2000 + item, {0, 0}, priority::low, start);
    }
    std::map<queue_item, int> share;
    for (int i = 0; i < 640; ++i)
        ++share[*queue.pop(start) / 1000];
    EXPECT_EQ(share[0], 560); // seven of eight
    EXPECT_EQ(share[1], 70);  // the eighth, but for
    EXPECT_EQ(share[2], 10);  // one in 64
}

TEST(send_queue, a_turn_that_nobody_of_its_priority_wants_goes_to_the_most_urgent)
{
    send_queue queue({generous});
    for (queue_item item = 0; item < 20; ++item)
        queue.push(item, {0, 0}, priority::low, start);
    queue.push(100, {0, 0}, priority::normal, start);
    const auto order = pop_all(queue, start);
    EXPECT_EQ(order.front(), 100U);
    EXPECT_EQ(order.size(), 21U);
}

TEST(send_queue, holds_the_rate_of_each_app)
{
    send_queue queue({{10, 3, 1000, 8}, generous});
    for (queue_item item = 0; item < 20; ++item)
        queue.push(item, {0, 0}, priority::normal, start);
    queue.push(100, {1, 0}, priority::normal, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(0, 100, 1, 2)) << "one app's rate is not another's";
    EXPECT_EQ(queue.next_wakeup(), start + milliseconds{100});
    EXPECT_THAT(pop_all(queue, start + milliseconds{250}), ElementsAre(3, 4));
}

TEST(send_queue, holds_the_concurrency_of_each_app)
{
    send_queue queue({{1e6, 1e6, 2, 8}});
    for (queue_item item = 0; item < 5; ++item)
        queue.push(item, {0, 0}, priority::normal, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(0, 1));
    queue.release(0);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(2));
    queue.set_concurrency(0, 4);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(3, 4));
    queue.set_concurrency(0, 1);
    queue.push(9, {0, 0}, priority::normal, start);
    for (int i = 0; i < 3; ++i) {
        queue.release(0);
        EXPECT_EQ(queue.pop(start), std::nullopt);
    }
    queue.release(0);
    EXPECT_EQ(queue.pop(start), 9U);
}

TEST(send_queue, a_full_app_keeps_no_other_waiting)
{
    send_queue queue({{1e6, 1e6, 1, 8}, generous});
    queue.push(0, {0, 0}, priority::normal, start);
    queue.push(1, {0, 0}, priority::normal, start);
    queue.push(100, {1, 0}, priority::normal, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(0, 100));
}

TEST(send_queue, a_park_stops_its_lane_until_its_end)
{
    send_queue queue({generous});
    queue.park({0, 1}, start + seconds{30}, start);
    queue.push(1, {0, 1}, priority::normal, start);
    queue.push(2, {0, 2}, priority::normal, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(2));
    EXPECT_EQ(queue.parked_until({0, 1}, start), start + seconds{30});
    EXPECT_EQ(queue.parked_until({0, 2}, start), std::nullopt);
    EXPECT_EQ(queue.next_wakeup(), start + seconds{30});
    EXPECT_EQ(queue.pop(start + seconds{29}), std::nullopt);
    EXPECT_THAT(pop_all(queue, start + seconds{30}), ElementsAre(1));
    EXPECT_EQ(queue.parked_until({0, 1}, start + seconds{30}), std::nullopt);
}

TEST(send_queue, a_shorter_park_does_not_end_a_longer_one)
{
    send_queue queue({generous});
    queue.park({0, 1}, start + hours{5}, start);
    queue.park({0, 1}, start + seconds{30}, start);
    EXPECT_EQ(queue.parked_until({0, 1}, start), start + hours{5});
}

TEST(send_queue, a_paused_lane_waits_and_its_app_goes_on)
{
    send_queue queue({generous});
    queue.pause({0, 0}, true, start);
    queue.push(1, {0, 0}, priority::high, start);
    queue.push(2, {0, 1}, priority::low, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(2));
    EXPECT_TRUE(queue.paused({0, 0}));
    queue.park({0, 0}, start + seconds{5}, start); // WeChat's quota, meanwhile
    queue.pause({0, 0}, false, start + seconds{2});
    EXPECT_THAT(pop_all(queue, start + seconds{2}), ElementsAre()) << "the park has not ended";
    EXPECT_THAT(pop_all(queue, start + seconds{5}), ElementsAre(1));
}

TEST(send_queue, a_lanes_own_clock_stands_still_while_it_is_paused)
{
    send_queue queue({generous});
    const auto before = queue.active_time({0, 0}, start);
    queue.pause({0, 0}, true, start + seconds{1});
    EXPECT_EQ(queue.active_time({0, 0}, start + hours{9}) - before, seconds{1});
    EXPECT_EQ(queue.active_time({0, 1}, start + hours{9}) - before, hours{9});
    queue.pause({0, 0}, false, start + hours{9});
    EXPECT_EQ(queue.active_time({0, 0}, start + hours{9} + seconds{1}) - before, seconds{2});
}

TEST(send_queue, a_blocked_app_waits_until_the_last_reason_has_gone)
{
    send_queue queue({generous, generous});
    queue.block(0, block_reason::no_token, start);
    queue.block(0, block_reason::breaker_open, start);
    queue.push(1, {0, 0}, priority::high, start);
    queue.push(2, {1, 0}, priority::low, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(2));
    queue.unblock(0, block_reason::no_token, start);
    EXPECT_TRUE(queue.blocked(0));
    EXPECT_FALSE(queue.blocked(0, block_reason::no_token));
    EXPECT_EQ(queue.pop(start), std::nullopt);
    queue.unblock(0, block_reason::breaker_open, start);
    EXPECT_EQ(queue.pop(start), 1U);
}

TEST(send_queue, the_end_of_a_park_during_a_block_is_not_lost)
{
    send_queue queue({generous});
    queue.push(1, {0, 1}, priority::normal, start);
    queue.park({0, 1}, start + seconds{30}, start);
    queue.block(0, block_reason::paused, start);
    EXPECT_EQ(queue.pop(start + seconds{31}), std::nullopt);
    queue.unblock(0, block_reason::paused, start + seconds{40});
    EXPECT_EQ(queue.pop(start + seconds{40}), 1U);
}

TEST(send_queue, a_lanes_own_clock_stands_still_while_it_is_parked_or_its_app_blocked)
{
    send_queue queue({generous});
    const lane parked{0, 1};
    const lane free{0, 2};
    const auto base_parked = queue.active_time(parked, start);
    const auto base_free = queue.active_time(free, start);
    queue.park(parked, start + seconds{30}, start + seconds{10});
    EXPECT_EQ(queue.active_time(parked, start + seconds{25}) - base_parked, seconds{10});
    EXPECT_EQ(queue.active_time(free, start + seconds{25}) - base_free, seconds{25});
    static_cast<void>(queue.pop(start + seconds{30})); // the park has ended
    EXPECT_EQ(queue.active_time(parked, start + seconds{40}) - base_parked, seconds{20});
    queue.block(0, block_reason::halted, start + seconds{50});
    queue.block(0, block_reason::paused, start + seconds{60});
    queue.unblock(0, block_reason::halted, start + seconds{70});
    EXPECT_EQ(queue.active_time(free, start + seconds{80}) - base_free, seconds{50});
    queue.unblock(0, block_reason::paused, start + seconds{90});
    EXPECT_EQ(queue.active_time(free, start + seconds{100}) - base_free, seconds{60});
    EXPECT_EQ(queue.active_time(parked, start + seconds{100}) - base_parked, seconds{40});
}

TEST(send_queue, the_end_of_a_park_counts_from_when_it_was_due)
{
    send_queue queue({generous});
    const lane where{0, 1};
    const auto base = queue.active_time(where, start);
    queue.park(where, start + seconds{30}, start);
    static_cast<void>(queue.pop(start + seconds{45})); // nobody looked in between
    EXPECT_EQ(queue.active_time(where, start + seconds{45}) - base, seconds{15});
}

TEST(send_queue, a_new_rate_is_in_force_at_once)
{
    send_queue queue({{0.01, 1, 100, 8}});
    queue.push(1, {0, 0}, priority::normal, start);
    queue.push(2, {0, 0}, priority::normal, start);
    EXPECT_EQ(queue.pop(start), 1U);
    EXPECT_EQ(queue.pop(start + seconds{1}), std::nullopt);
    queue.set_rate(0, 100, 50);
    EXPECT_LE(*queue.next_wakeup(), start + seconds{100});
    EXPECT_EQ(pop_all(queue, *queue.next_wakeup()), std::vector<queue_item>{2});
}

TEST(send_queue, lets_go_of_what_it_is_told_to)
{
    send_queue queue({generous, generous});
    for (queue_item item = 0; item < 10; ++item)
        queue.push(item, {item % 2, 0}, priority::normal, item < 6 ? start : start + seconds{10});
    EXPECT_EQ(queue.pop(start), 0U);
    queue.remove_if([](queue_item item) { return item == 1 || item == 2 || item == 7; });
    EXPECT_EQ(queue.queued(0), 3U);
    EXPECT_EQ(queue.queued(1), 3U);
    auto rest = pop_all(queue, start + seconds{10});
    std::sort(rest.begin(), rest.end());
    EXPECT_THAT(rest, ElementsAre(3, 4, 5, 6, 8, 9));
}

/// Random traffic: no message is lost or given twice, and limits hold all the time.
TEST(send_queue, gives_every_message_exactly_once_within_all_limits)
{
    for (unsigned seed = 1; seed <= 60; ++seed) {
        std::mt19937 random(seed);
        constexpr std::size_t apps = 3;
        const std::vector<app_limits> limits{{50, 5, 4, 8}, {400, 20, 16, 8}, {7, 1, 1, 8}};
        send_queue queue(limits);
        std::map<queue_item, app_index> out;
        std::size_t given = 0;
        queue_item next = 0;
        auto now = start;
        std::array<bool, apps> blocked{};
        for (int step = 0; step < 3000; ++step) {
            now += milliseconds{random() % 20};
            const auto app = static_cast<app_index>(random() % apps);
            switch (random() % 8) {
            case 0:
            case 1:
                queue.push(next++, {app, static_cast<std::uint32_t>(random() % 8)}, static_cast<priority>(random() % 3),
                           now + milliseconds{random() % 300} - milliseconds{100});
                break;
            case 2:
                queue.block(app, block_reason::paused, now);
                blocked[app] = true;
                break;
            case 3:
            case 4:
                queue.unblock(app, block_reason::paused, now);
                blocked[app] = false;
                break;
            case 5:
                if (random() % 10 == 0)
                    queue.park({app, static_cast<std::uint32_t>(random() % 8)}, now + milliseconds{random() % 500},
                               now);
                break;
            default:
                if (!out.empty()) {
                    queue.release(out.begin()->second);
                    out.erase(out.begin());
                }
            }
            while (const auto item = queue.pop(now)) {
                ++given;
                app_index of = 0;
                while (queue.in_flight(of) ==
                       static_cast<std::size_t>(
                           std::count_if(out.begin(), out.end(), [of](const auto& each) { return each.second == of; })))
                    ++of;
                ASSERT_TRUE(out.emplace(*item, of).second) << "seed " << seed;
                ASSERT_FALSE(blocked[of]) << "seed " << seed;
                ASSERT_LE(queue.in_flight(of), limits[of].concurrency) << "seed " << seed;
            }
        }
        for (app_index app = 0; app < apps; ++app)
            queue.unblock(app, block_reason::paused, now);
        for (int step = 0; step < 100'000 && given < next; ++step) {
            while (!out.empty()) {
                queue.release(out.begin()->second);
                out.erase(out.begin());
            }
            while (const auto item = queue.pop(now)) {
                ++given;
                app_index of = 0;
                while (queue.in_flight(of) ==
                       static_cast<std::size_t>(
                           std::count_if(out.begin(), out.end(), [of](const auto& each) { return each.second == of; })))
                    ++of;
                ASSERT_TRUE(out.emplace(*item, of).second) << "seed " << seed;
            }
            if (const auto wakeup = queue.next_wakeup())
                now = std::max(now, *wakeup);
        }
        EXPECT_EQ(given, next) << "seed " << seed << ": a message was forgotten";
    }
}

} // namespace
} // namespace wxcourier::domain
