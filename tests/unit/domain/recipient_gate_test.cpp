// SPDX-License-Identifier: Apache-2.0
#include "domain/recipient_gate.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;

const steady_time start{hours{1000}};

TEST(recipient_gate, forgets_recipients_of_whom_nothing_is_left_to_know)
{
    item_chains chains;
    recipient_gate gate(recipient_limit{2, seconds{10}}, chains);
    std::vector<queue_item> woken;
    for (recipient_key who = 1; who <= 1000; ++who)
        gate.leave(gate.enter(who, gate.find(who)), start, true, woken);
    for (recipient_key who = 2000; who < 2500; ++who)
        gate.leave(gate.enter(who, gate.find(who)), start, false, woken);
    for (recipient_key who = 3000; who < 3100; ++who)
        gate.hold(who, start + seconds{5});
    EXPECT_EQ(gate.known(), 1100U);
    gate.ripen(start + seconds{5}, woken);
    EXPECT_EQ(gate.known(), 1000U);
    gate.ripen(start + seconds{10}, woken);
    EXPECT_EQ(gate.known(), 0U);
    EXPECT_FALSE(gate.holds_any());
    EXPECT_EQ(gate.next_at(), std::nullopt);
}

TEST(recipient_gate, remembers_no_more_sends_than_it_may)
{
    item_chains chains;
    recipient_gate gate(recipient_limit{1, hours{24}}, chains, 100);
    std::vector<queue_item> woken;
    for (recipient_key who = 1; who <= 150; ++who)
        gate.leave(gate.enter(who, gate.find(who)), start, true, woken);
    EXPECT_EQ(gate.known(), 100U);
    EXPECT_EQ(gate.forgotten(), 50U);
    EXPECT_TRUE(gate.admits(gate.find(50), start));
    EXPECT_FALSE(gate.admits(gate.find(51), start));
    // A recipient's only send is the one to be forgotten for the next one to it.
    recipient_gate tiny(recipient_limit{5, hours{24}}, chains, 1);
    for (int i = 0; i < 10; ++i)
        tiny.leave(tiny.enter(7, tiny.find(7)), start, true, woken);
    EXPECT_EQ(tiny.known(), 1U);
    EXPECT_EQ(tiny.forgotten(), 9U);
}

TEST(recipient_gate, a_hash_is_never_that_of_nobody)
{
    EXPECT_NE(recipient_key_of(""), no_recipient);
    EXPECT_NE(recipient_key_of("oWxCourier0000"), recipient_key_of("oWxCourier0001"));
}

TEST(keyed_slots, finds_what_it_has_and_nothing_else_in_random_histories)
{
    std::mt19937_64 random(3);
    keyed_slots<std::uint64_t> slots;
    std::map<std::uint64_t, keyed_slots<std::uint64_t>::slot> known;
    for (int step = 0; step < 200'000; ++step) {
        const auto key = random() % 3000 * (step % 2 == 0 ? 1 : 0x1000000000ULL);
        const auto found = slots.find(key);
        const auto expected = known.find(key);
        ASSERT_EQ(found, expected == known.end() ? slots.none : expected->second);
        if (expected == known.end()) {
            const auto made = slots.make(key);
            ASSERT_EQ(slots[made], 0U) << "a fresh value";
            slots[made] = key;
            known[key] = made;
        } else {
            ASSERT_EQ(slots[found], key);
            slots.erase(found);
            known.erase(expected);
        }
        ASSERT_EQ(slots.size(), known.size());
    }
}

} // namespace
} // namespace wxcourier::domain
