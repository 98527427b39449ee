// SPDX-License-Identifier: Apache-2.0
#include "app/process_seat.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace wxcourier::app {
namespace {

std::string own_group()
{
    return "process-seat-test-" + std::to_string(getpid());
}

TEST(process_seat, no_two_have_the_same_one)
{
    const auto group = own_group();
    const process_seat first(group);
    const process_seat second(group);
    const process_seat elsewhere(group + "-other");
    EXPECT_FALSE(first.name().empty());
    EXPECT_FALSE(second.name().empty());
    EXPECT_NE(first.name(), second.name());
    EXPECT_NE(first.name(), elsewhere.name());
}

TEST(process_seat, a_process_that_is_stopped_keeps_it_and_one_that_was_killed_does_not)
{
    const auto group = own_group() + "-killed";
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const auto child = fork();
    if (child == 0) {
        const process_seat taken(group);
        const auto written = write(ready[1], taken.name().data(), taken.name().size());
        pause();
        _exit(static_cast<int>(written));
    }
    std::string name(256, ' ');
    const auto length = read(ready[0], name.data(), name.size());
    ASSERT_GT(length, 0);
    name.resize(static_cast<std::size_t>(length));
    kill(child, SIGSTOP);
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    EXPECT_NE(process_seat(group).name(), name);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    EXPECT_EQ(process_seat(group).name(), name);
    close(ready[0]);
    close(ready[1]);
}

} // namespace
} // namespace wxcourier::app
