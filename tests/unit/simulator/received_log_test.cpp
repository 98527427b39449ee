// SPDX-License-Identifier: Apache-2.0
#include "simulator/received_log.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wxcourier::simulator {
namespace {

struct received_log_test : testing::Test {
    std::vector<std::uint64_t> numbers(std::uint64_t since, std::size_t limit)
    {
        std::vector<std::uint64_t> found;
        next = log.visit(since, limit, [&](const received_request& request) { found.push_back(request.sequence); });
        return found;
    }

    received_log log{3};
    std::uint64_t next = 0;
};

TEST_F(received_log_test, it_is_read_in_pieces)
{
    for (int i = 0; i < 3; ++i) {
        log.add({});
    }
    EXPECT_EQ(numbers(0, 2), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(next, 2U);
    EXPECT_EQ(numbers(next, 2), (std::vector<std::uint64_t>{3}));
    EXPECT_EQ(next, 3U);
    EXPECT_TRUE(numbers(next, 2).empty());
    EXPECT_EQ(next, 3U);
}

TEST_F(received_log_test, only_the_latest_are_kept_and_keep_their_numbers)
{
    for (int i = 0; i < 5; ++i) {
        log.add({});
    }
    EXPECT_EQ(numbers(0, 10), (std::vector<std::uint64_t>{3, 4, 5}));
}

TEST_F(received_log_test, large_bodies_push_out_old_requests)
{
    for (int i = 0; i < 3; ++i) {
        received_request request;
        request.body.assign(std::size_t{100} << 20U, 'x');
        log.add(std::move(request));
    }
    EXPECT_EQ(numbers(0, 10), (std::vector<std::uint64_t>{2, 3}));
}

TEST_F(received_log_test, a_reader_ahead_of_a_reset_starts_again)
{
    log.add({});
    log.add({});
    log.reset();
    log.add({});
    EXPECT_TRUE(numbers(2, 10).empty());
    EXPECT_EQ(next, 1U);
    EXPECT_EQ(numbers(0, 10), (std::vector<std::uint64_t>{1}));
}

} // namespace
} // namespace wxcourier::simulator
