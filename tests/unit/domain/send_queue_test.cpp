// SPDX-License-Identifier: Apache-2.0
#include "domain/send_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>

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

TEST(send_queue, a_lane_keeps_to_its_pace_and_the_others_to_the_rate)
{
    send_queue queue({{100, 1, 1000, 8}});
    for (queue_item item = 0; item < 400; ++item)
        queue.push(item, {0, item % 2}, priority::normal, start);
    queue.set_pace({0, 0}, 0.1, start);
    std::map<unsigned, int> given;
    for (auto now = start; now < start + seconds{2}; now = *queue.next_wakeup())
        for (const auto item : pop_all(queue, now))
            ++given[item % 2];
    EXPECT_NEAR(given[0], 20, 1);
    EXPECT_NEAR(given[0] + given[1], 200, 1) << "what one lane does not use, the other may";
}

TEST(send_queue, a_pace_follows_the_rate_and_ends_at_one)
{
    send_queue queue({{100, 1, 1000, 8}});
    for (queue_item item = 0; item < 1000; ++item)
        queue.push(item, {0, 0}, priority::normal, start);
    auto now = start;
    const auto given_in_a_second = [&] {
        std::size_t given = 0;
        for (const auto end = now + seconds{1}; now < end; now = std::min(queue.next_wakeup().value_or(end), end))
            given += pop_all(queue, now).size();
        return given;
    };
    queue.set_pace({0, 0}, 0.5, now);
    EXPECT_NEAR(static_cast<double>(given_in_a_second()), 50, 1);
    queue.lend_rate(0, 40, 1, steady_time::max(), now);
    EXPECT_EQ(queue.rate(0), 40);
    EXPECT_NEAR(static_cast<double>(given_in_a_second()), 20, 1);
    queue.set_pace({0, 0}, 1, now);
    EXPECT_NEAR(static_cast<double>(given_in_a_second()), 40, 1);
}

TEST(send_queue, repeats_wait_for_the_budget_and_first_attempts_do_not)
{
    send_queue queue({generous});
    for (int i = 0; i < 100; ++i) { // WeChat is ill
        queue.repeats(0).on_first(start);
        queue.repeats(0).on_answer(start, true);
    }
    for (queue_item item = 0; item < 100; ++item)
        queue.push(item, {0, 0}, priority::normal, start, no_recipient, true);
    queue.push(1000, {0, 0}, priority::low, start);
    auto given = pop_all(queue, start);
    EXPECT_EQ(given.back(), 1000U);
    EXPECT_LE(given.size(), 13U) << "a tenth";
    EXPECT_EQ(queue.held_repeats(0), 101 - given.size());
    EXPECT_EQ(queue.queued(0), 101 - given.size());
    ASSERT_TRUE(queue.next_wakeup());
    EXPECT_LE(*queue.next_wakeup(), start + seconds{1});
    queue.remove_if([](queue_item item) { return item >= 50; }, start);
    EXPECT_EQ(queue.held_repeats(0), queue.queued(0));
    // Its failures are six seconds old: it is well.
    auto now = start;
    std::size_t later = 0;
    for (; now < start + seconds{6}; now = *queue.next_wakeup()) {
        later += pop_all(queue, now).size();
        if (!queue.next_wakeup())
            break;
    }
    EXPECT_EQ(queue.queued(0), 0U);
    EXPECT_EQ(later + given.size(), 51U);
}

TEST(send_queue, holds_the_concurrency_of_each_app)
{
    send_queue queue({{1e6, 1e6, 2, 8}});
    for (queue_item item = 0; item < 5; ++item)
        queue.push(item, {0, 0}, priority::normal, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(0, 1));
    queue.release(0, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(2));
    queue.set_concurrency(0, 4);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(3, 4));
    queue.set_concurrency(0, 1);
    queue.push(9, {0, 0}, priority::normal, start);
    for (const queue_item item : {1U, 2U, 3U}) {
        queue.release(item, start);
        EXPECT_EQ(queue.pop(start), std::nullopt);
    }
    queue.release(4, start);
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
    queue.remove_if([](queue_item item) { return item == 1 || item == 2 || item == 7; }, start);
    EXPECT_EQ(queue.queued(0), 3U);
    EXPECT_EQ(queue.queued(1), 3U);
    auto rest = pop_all(queue, start + seconds{10});
    std::sort(rest.begin(), rest.end());
    EXPECT_THAT(rest, ElementsAre(3, 4, 5, 6, 8, 9));
}

TEST(send_queue, high_overtakes_across_the_lanes_of_its_app)
{
    send_queue queue({generous});
    for (queue_item item = 0; item < 100; ++item)
        queue.push(item, {0, item % 4}, priority::normal, start);
    queue.push(1000, {0, 6}, priority::high, start);
    EXPECT_EQ(queue.pop(start), 1000U);
}

TEST(send_queue, high_in_one_lane_does_not_starve_the_others_for_ever)
{
    send_queue queue({generous});
    for (queue_item item = 0; item < 6400; ++item)
        queue.push(item, {0, 0}, priority::high, start);
    for (queue_item item = 10'000; item < 10'010; ++item)
        queue.push(item, {0, 1}, priority::normal, start);
    queue.push(20'000, {0, 2}, priority::low, start);
    std::map<queue_item, int> given;
    for (int i = 0; i < 128; ++i)
        ++given[*queue.pop(start) / 10'000];
    EXPECT_EQ(given[1], 10);
    EXPECT_EQ(given[2], 1);
}

TEST(send_queue, high_that_is_parked_leaves_its_turns_to_the_others)
{
    send_queue queue({generous});
    queue.park({0, 0}, start + seconds{30}, start);
    queue.push(1, {0, 0}, priority::high, start);
    queue.push(2, {0, 1}, priority::low, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(2));
    EXPECT_THAT(pop_all(queue, start + seconds{30}), ElementsAre(1));
}

TEST(send_queue, apps_get_turns_by_their_weights)
{
    auto heavy = generous;
    heavy.weight = 5;
    auto middling = generous;
    middling.weight = 3;
    send_queue queue({heavy, middling, generous});
    for (queue_item item = 0; item < 3000; ++item)
        queue.push(item, {item % 3, 0}, priority::normal, start);
    std::map<unsigned, int> given;
    for (int i = 0; i < 900; ++i)
        ++given[*queue.pop(start) % 3];
    EXPECT_NEAR(given[0], 500, 2);
    EXPECT_NEAR(given[1], 300, 2);
    EXPECT_NEAR(given[2], 100, 2);
}

TEST(send_queue, weights_hold_when_the_total_in_flight_is_what_limits)
{
    // As the pool does it: it pops only while fewer than `most` are under way.
    constexpr std::size_t most = 20;
    auto heavy = generous;
    heavy.weight = 4;
    send_queue queue({heavy, generous});
    std::mt19937 random(7);
    std::vector<queue_item> out;
    std::map<unsigned, int> given;
    queue_item next = 0;
    for (int step = 0; step < 20'000; ++step) {
        while (queue.queued(0) < 50 || queue.queued(1) < 50) {
            queue.push(next, {next % 2, 0}, priority::normal, start);
            ++next;
        }
        while (out.size() < most) {
            out.push_back(*queue.pop(start));
            ++given[out.back() % 2];
        }
        std::swap(out[random() % out.size()], out.back());
        queue.release(out.back(), start);
        out.pop_back();
    }
    const auto share = static_cast<double>(given[0]) / (given[0] + given[1]);
    EXPECT_NEAR(share, 0.8, 0.8 * 0.05);
}

TEST(send_queue, an_app_that_was_idle_has_saved_nothing_up)
{
    send_queue queue({generous, generous});
    for (queue_item item = 0; item < 1000; ++item)
        queue.push(item, {0, 0}, priority::normal, start);
    for (int i = 0; i < 500; ++i)
        static_cast<void>(queue.pop(start));
    for (queue_item item = 1000; item < 1500; ++item)
        queue.push(item, {1, 0}, priority::normal, start);
    int of_the_late_one = 0;
    for (int i = 0; i < 100; ++i)
        of_the_late_one += *queue.pop(start) >= 1000 ? 1 : 0;
    EXPECT_NEAR(of_the_late_one, 50, 1);
}

TEST(send_queue, an_app_that_is_added_takes_its_turns)
{
    send_queue queue({generous});
    EXPECT_EQ(queue.add_app(generous), 1U);
    queue.push(0, {0, 0}, priority::normal, start);
    queue.push(1, {1, 0}, priority::normal, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(0, 1));
}

class send_queue_recipients : public ::testing::Test {
protected:
    static constexpr recipient_key anna = 0xA;
    static constexpr recipient_key bert = 0xB;

    void push(queue_item item, recipient_key to, priority urgency = priority::normal, std::uint32_t call = 0)
    {
        queue.push(item, {0, call}, urgency, start, to);
    }

    send_queue queue{{generous, generous}};
};

TEST_F(send_queue_recipients, one_request_at_a_time_for_each)
{
    push(1, anna);
    push(2, anna);
    push(3, bert);
    push(4, anna);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(1, 3));
    EXPECT_EQ(queue.queued(0), 2U);
    EXPECT_EQ(queue.waiting_for_recipients(0), 2U);
    queue.release(3, start);
    EXPECT_EQ(queue.pop(start), std::nullopt);
    queue.release(1, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(2));
    queue.release(2, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(4));
    EXPECT_EQ(queue.waiting_for_recipients(0), 0U);
}

TEST_F(send_queue_recipients, another_apps_request_to_the_same_openid_is_none_of_theirs)
{
    push(1, anna);
    queue.push(2, {1, 0}, priority::normal, start, anna);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(1, 2));
}

TEST_F(send_queue_recipients, whoever_waits_for_one_takes_no_permit_of_the_rate)
{
    send_queue slow({{10, 1, 1000, 8}});
    slow.push(1, {0, 0}, priority::normal, start, anna);
    slow.push(2, {0, 0}, priority::normal, start, anna);
    slow.push(3, {0, 0}, priority::normal, start, bert);
    EXPECT_EQ(slow.pop(start), 1U);
    EXPECT_EQ(slow.pop(start), std::nullopt);
    EXPECT_EQ(slow.pop(start + milliseconds{100}), 3U);
}

TEST_F(send_queue_recipients, high_goes_first_among_those_who_wait_for_one)
{
    push(1, anna);
    EXPECT_EQ(queue.pop(start), 1U);
    push(2, anna, priority::low);
    push(3, anna, priority::normal);
    EXPECT_EQ(queue.pop(start), std::nullopt);
    push(4, anna, priority::high);
    EXPECT_EQ(queue.pop(start), std::nullopt);
    queue.release(1, start);
    EXPECT_EQ(queue.pop(start), 4U);
}

TEST_F(send_queue_recipients, a_parked_lane_does_not_keep_one_from_the_others)
{
    push(1, anna);
    EXPECT_EQ(queue.pop(start), 1U);
    push(2, anna, priority::normal, 1);
    push(3, anna, priority::normal, 2);
    push(4, anna, priority::normal, 2);
    EXPECT_EQ(queue.pop(start), std::nullopt);
    queue.park({0, 1}, start + hours{5}, start);
    queue.release(1, start);
    EXPECT_EQ(queue.pop(start), 3U);
    queue.release(3, start);
    EXPECT_EQ(queue.pop(start), 4U);
    EXPECT_EQ(queue.pop(start + hours{5}), std::nullopt);
    queue.release(4, start + hours{5});
    EXPECT_EQ(queue.pop(start + hours{5}), 2U);
}

TEST_F(send_queue_recipients, one_who_is_held_back_waits_alone_and_with_all_messages)
{
    queue.hold_recipient(0, anna, start + seconds{60});
    push(1, anna);
    push(2, anna, priority::high, 3);
    push(3, bert);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(3));
    EXPECT_EQ(queue.recipient_held_until(1, start), start + seconds{60});
    EXPECT_EQ(queue.recipient_held_until(3, start), std::nullopt);
    EXPECT_EQ(queue.next_wakeup(), start + seconds{60});
    EXPECT_EQ(queue.pop(start + seconds{59}), std::nullopt);
    EXPECT_EQ(queue.pop(start + seconds{60}), 2U);
    EXPECT_EQ(queue.pop(start + seconds{60}), std::nullopt) << "one at a time, as ever";
    queue.release(2, start + seconds{61});
    EXPECT_EQ(queue.pop(start + seconds{61}), 1U);
}

TEST_F(send_queue_recipients, a_shorter_hold_does_not_end_a_longer_one)
{
    queue.hold_recipient(0, anna, start + seconds{60});
    queue.hold_recipient(0, anna, start + seconds{1});
    push(1, anna);
    EXPECT_EQ(queue.pop(start + seconds{59}), std::nullopt);
    EXPECT_EQ(queue.pop(start + seconds{60}), 1U);
}

TEST_F(send_queue_recipients, whoever_is_let_go_while_first_in_line_lets_the_next_one_up)
{
    push(1, anna);
    EXPECT_EQ(queue.pop(start), 1U);
    push(2, anna);
    push(3, anna);
    push(4, anna);
    EXPECT_EQ(queue.pop(start), std::nullopt);
    queue.block(0, block_reason::paused, start);
    queue.release(1, start); // 2 may go but for the pause
    queue.remove_if([](queue_item item) { return item == 2 || item == 4; }, start);
    queue.unblock(0, block_reason::paused, start);
    EXPECT_THAT(pop_all(queue, start), ElementsAre(3));
    EXPECT_EQ(queue.queued(0), 0U);
    queue.release(3, start);
    EXPECT_EQ(queue.pop(start), std::nullopt);
}

TEST_F(send_queue_recipients, a_limit_holds_in_every_window)
{
    auto limited = generous;
    limited.per_recipient = {2, seconds{10}};
    send_queue kind({limited});
    for (queue_item item = 0; item < 5; ++item)
        kind.push(item, {0, 0}, priority::normal, start, anna);
    kind.push(9, {0, 0}, priority::normal, start, bert);
    EXPECT_EQ(kind.pop(start), 0U);
    EXPECT_EQ(kind.pop(start), 9U);
    kind.release(9, start, true);
    kind.release(0, start + seconds{1}, true);
    EXPECT_EQ(kind.pop(start + seconds{4}), 1U);
    kind.release(1, start + seconds{5}, true);
    EXPECT_EQ(kind.pop(start + seconds{5}), std::nullopt);
    EXPECT_EQ(kind.recipient_held_until(2, start + seconds{5}), start + seconds{11});
    EXPECT_EQ(kind.next_wakeup(), start + seconds{11}) << "10 s after the end of the first request";
    EXPECT_EQ(kind.pop(start + milliseconds{10'999}), std::nullopt);
    EXPECT_EQ(kind.pop(start + seconds{11}), 2U);
    kind.release(2, start + seconds{11}, true);
    EXPECT_EQ(kind.next_wakeup(), start + seconds{15});
    EXPECT_EQ(kind.pop(start + seconds{15}), 3U);
}

TEST_F(send_queue_recipients, what_did_not_arrive_does_not_count_for_the_limit)
{
    auto limited = generous;
    limited.per_recipient = {1, hours{24}};
    send_queue kind({limited});
    kind.push(1, {0, 0}, priority::normal, start, anna);
    kind.push(2, {0, 0}, priority::normal, start, anna);
    EXPECT_EQ(kind.pop(start), 1U);
    kind.release(1, start, false);
    EXPECT_EQ(kind.pop(start), 2U);
}

TEST_F(send_queue_recipients, another_limit_is_in_force_at_once)
{
    auto limited = generous;
    limited.per_recipient = {1, hours{24}};
    send_queue kind({limited});
    for (queue_item item = 0; item < 4; ++item)
        kind.push(item, {0, 0}, priority::normal, start, anna);
    EXPECT_EQ(kind.pop(start), 0U);
    kind.release(0, start, true);
    EXPECT_EQ(kind.pop(start), std::nullopt);
    kind.set_recipient_limit(0, recipient_limit{2, hours{24}}, start);
    EXPECT_EQ(kind.pop(start), 1U);
    kind.release(1, start, true);
    EXPECT_EQ(kind.pop(start), std::nullopt);
    kind.set_recipient_limit(0, std::nullopt, start);
    EXPECT_EQ(kind.pop(start), 2U);
    EXPECT_EQ(kind.counts_recipients(0), false);
}

TEST_F(send_queue_recipients, a_message_cannot_be_in_line_and_under_way)
{
    push(1, anna);
    EXPECT_EQ(queue.pop(start), 1U);
    EXPECT_THROW(push(1, anna), std::logic_error);
}

/// Random traffic to few recipients: one request at a time for each, none while held or over the limit, nobody is
/// forgotten, and of one lane and priority nobody is overtaken by who asked for the same recipient later.
TEST_F(send_queue_recipients, rules_hold_in_random_traffic)
{
    for (unsigned seed = 1; seed <= 80; ++seed) {
        std::mt19937 random(seed);
        auto limited = generous;
        limited.concurrency = 1 + random() % 20;
        if (seed % 2 == 0)
            limited.per_recipient = {1 + static_cast<std::uint32_t>(random() % 3), milliseconds{500}};
        send_queue busy({limited});
        struct message {
            recipient_key to;
            std::uint32_t call;
            priority urgency;
        };
        std::map<queue_item, message> in_line;
        std::map<queue_item, message> out;
        std::map<recipient_key, steady_time> held;
        std::map<recipient_key, std::vector<steady_time>> sent;
        queue_item next = 0;
        auto now = start;
        const auto check = [&](queue_item item) {
            const auto found = in_line.find(item);
            ASSERT_NE(found, in_line.end()) << "seed " << seed << ": given twice";
            const auto what = found->second;
            for (const auto& [other, each] : out)
                ASSERT_NE(each.to, what.to) << "seed " << seed << ": two at a time";
            for (const auto& [other, each] : in_line)
                ASSERT_FALSE(other < item && each.to == what.to && each.call == what.call &&
                             each.urgency == what.urgency)
                    << "seed " << seed << ": overtaken";
            ASSERT_LE(held[what.to], now) << "seed " << seed << ": held back";
            if (limited.per_recipient) {
                const auto& times = sent[what.to];
                ASSERT_LT(std::count_if(times.begin(), times.end(),
                                        [&](auto at) { return at + limited.per_recipient->window > now; }),
                          limited.per_recipient->max)
                    << "seed " << seed << ": over the limit";
            }
            out.insert(*found);
            in_line.erase(found);
        };
        for (int step = 0; step < 2000; ++step) {
            now += milliseconds{random() % 10};
            switch (random() % 6) {
            case 0:
            case 1:
            case 2: {
                const message made{1 + random() % 12, static_cast<std::uint32_t>(random() % 3),
                                   static_cast<priority>(random() % 3)};
                in_line.emplace(next, made);
                busy.push(next++, {0, made.call}, made.urgency, now, made.to);
                break;
            }
            case 3:
                if (random() % 8 == 0) {
                    const recipient_key who = 1 + random() % 12;
                    held[who] = std::max(held[who], now + milliseconds{random() % 300});
                    busy.hold_recipient(0, who, held[who]);
                } else if (random() % 8 == 0) {
                    const auto part = random() % 7;
                    const auto gone = [part](queue_item item) { return item % 7 == part; };
                    busy.remove_if(gone, now);
                    std::erase_if(in_line, [&gone](const auto& each) { return gone(each.first); });
                }
                break;
            default:
                if (!out.empty()) {
                    const auto who = std::next(out.begin(), static_cast<long>(random() % out.size()));
                    const bool arrived = random() % 2 == 0;
                    if (arrived)
                        sent[who->second.to].push_back(now);
                    busy.release(who->first, now, arrived);
                    out.erase(who);
                }
            }
            while (const auto item = busy.pop(now))
                ASSERT_NO_FATAL_FAILURE(check(*item));
            ASSERT_EQ(busy.queued(0), in_line.size()) << "seed " << seed;
        }
        for (int step = 0; step < 100'000 && !(in_line.empty() && out.empty()); ++step) {
            while (!out.empty()) {
                busy.release(out.begin()->first, now);
                out.erase(out.begin());
            }
            while (const auto item = busy.pop(now))
                ASSERT_NO_FATAL_FAILURE(check(*item));
            if (const auto wakeup = busy.next_wakeup(); out.empty() && wakeup)
                now = std::max(now, *wakeup);
        }
        EXPECT_TRUE(in_line.empty()) << "seed " << seed << ": " << in_line.size() << " were forgotten";
    }
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
                    queue.release(out.begin()->first, now);
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
                queue.release(out.begin()->first, now);
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
