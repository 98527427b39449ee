// SPDX-License-Identifier: Apache-2.0
#include "codec/json_document.hpp"
#include "dashboard/board_json.hpp"
#include "dashboard/status_board.hpp"
#include "statuses.hpp"

#include <gtest/gtest.h>

namespace wxcourier::dashboard {
namespace {

using dashboard_test::noon;
using dashboard_test::status_at;

TEST(BoardJson, IsJsonWhateverTheTopicHolds)
{
    status_board board;
    auto status = status_at(noon, domain::job_state::failed, "odd \"reason\"\n");
    status.id = "</script>\x01\xFF";
    status.app = std::string("a\0b", 3);
    status.errcode = -1;
    status.errmsg = "line\nbreak \xE2\x80\xA8 \xF0\x9F\x98\x80";
    board.add(status, noon, noon, arrival::live);
    feed_state feed;
    feed.trouble = "not \"there\"";
    const auto json = to_json(board.look({}, noon), board.series(), feed);
    EXPECT_EQ(json.find('\n'), std::string::npos) << "one event is one line";
    codec::json_document document;
    EXPECT_EQ(document.parse(json, 1'000'000), std::nullopt);
    const auto root = document.root();
    EXPECT_EQ(root.find("totals").find("failed").integer(), 1);
    EXPECT_EQ(root.find("failures").size(), 1U);
    EXPECT_EQ(root.find("feed").find("trouble").text(), "not \"there\"");
    EXPECT_EQ(json.find("oA1b2C3d4E5f6G7h8I9j0K1l2M3n"), std::string::npos);
}

TEST(BoardJson, ABoardWithNothingIsToldToo)
{
    const status_board board;
    codec::json_document document;
    EXPECT_EQ(document.parse(to_json(board.look({}, noon), board.series(), {}), 1'000'000), std::nullopt);
    EXPECT_EQ(document.root().find("newest").type(), codec::json_type::null);
}

} // namespace
} // namespace wxcourier::dashboard
