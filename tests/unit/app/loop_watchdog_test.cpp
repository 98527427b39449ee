// SPDX-License-Identifier: Apache-2.0
#include "app/loop_watchdog.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include <unistd.h>

namespace wxcourier::app {
namespace {

namespace asio = boost::asio;

TEST(loop_watchdog, notices_a_loop_that_does_not_turn)
{
    asio::io_context loop;
    std::promise<void> noticed;
    const loop_watchdog watchdog(loop.get_executor(), {milliseconds{2}, 5}, [&noticed] { noticed.set_value(); });
    noticed.get_future().wait();
    EXPECT_EQ(watchdog.answers(), 0U);
}

TEST(loop_watchdog, notices_a_loop_that_has_stopped_turning)
{
    asio::io_context loop;
    std::promise<void> noticed;
    std::promise<void> go_on;
    loop_watchdog watchdog(loop.get_executor(), {milliseconds{2}, 20}, [&noticed] { noticed.set_value(); });
    std::thread turning([&loop, &watchdog, held = go_on.get_future().share()] {
        const auto work = asio::make_work_guard(loop);
        while (watchdog.answers() < 5)
            loop.run_one();
        held.wait();
    });
    noticed.get_future().wait();
    EXPECT_GE(watchdog.answers(), 5U);
    go_on.set_value();
    turning.join();
}

TEST(loop_watchdog, leaves_a_loop_alone_that_turns)
{
    asio::io_context loop;
    std::atomic<bool> noticed{false};
    {
        const loop_watchdog watchdog(loop.get_executor(), {milliseconds{1}, 10'000}, [&noticed] { noticed = true; });
        const auto work = asio::make_work_guard(loop);
        while (watchdog.answers() < 100)
            loop.run_one();
    }
    EXPECT_FALSE(noticed);
}

TEST(loop_watchdog, outlives_no_loop_and_waits_for_none)
{
    asio::io_context loop;
    {
        const loop_watchdog brief(loop.get_executor(), {}, [] { FAIL() << "it had no time to hang"; });
    }
    loop.poll(); // what was posted finds nothing that is gone
}

/// The whole of it: a handler that never returns ends the process with 1, and the log says why.
TEST(loop_watchdog_death, a_hung_process_ends)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto hang = [] {
        asio::io_context loop;
        const loop_watchdog watchdog(loop.get_executor(), {milliseconds{2}, 5}, end_hung_process);
        asio::post(loop, [] {
            while (true)
                pause();
        });
        loop.run();
    };
    EXPECT_EXIT(hang(), testing::ExitedWithCode(1), "the event loop hangs");
}

} // namespace
} // namespace wxcourier::app
