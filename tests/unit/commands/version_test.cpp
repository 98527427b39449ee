// SPDX-License-Identifier: Apache-2.0
#include "commands/version.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wxcourier::commands {
namespace {

TEST(Version, NamesTheProgramAndWhatItIsLinkedWith)
{
    EXPECT_THAT(version_text(), testing::MatchesRegex("wxcourier [0-9.]+\nlibrdkafka [0-9.]+\nOpenSSL [0-9.]+\nBoost "
                                                      "[0-9.]+"));
}

} // namespace
} // namespace wxcourier::commands
