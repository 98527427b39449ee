// SPDX-License-Identifier: Apache-2.0
// The golden file holds one line for each state as other systems see it; tests/system/test_schemas_status.py holds the
// same lines to config/schema/status.schema.json. `WXCOURIER_WRITE_GOLDEN=1 build/dev/unit_codec` writes it anew: a
// line that changes breaks readers, one that is added does not.
#include "codec/status_codec.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace wxcourier::codec {

using domain::job_state;
using domain::status_record;

namespace {

const char* const golden_path = WXCOURIER_SOURCE_DIR "/tests/golden/status.ndjson";

wall_time at(std::int64_t ms)
{
    return wall_time{milliseconds{1'795'335'330'000 + ms}};
}

status_record sent()
{
    status_record status;
    status.id = "order-42";
    status.app = "shop";
    status.kind = "official.template";
    status.labels = domain::label_list{{"campaign", "spring"}};
    status.touser = "oA1b2C3d4E5f6G7h8I9j0K1l2M3n";
    status.state = job_state::sent;
    status.errcode = 0;
    status.errmsg = "ok";
    status.msgid = "3712345678901234567";
    status.attempts = 1;
    status.enqueued_at = at(0);
    status.finished_at = at(123);
    status.source = {"push.jobs", 3, 1234};
    status.worker = "wxcourier-7f9c";
    return status;
}

status_record failed()
{
    auto status = sent();
    status.state = job_state::failed;
    status.reason = "refused_by_user";
    status.errcode = 43101;
    status.errmsg = "user refuse to accept the msg rid: 6745f1a2-0a1b2c3d-4e5f6071";
    status.msgid.clear();
    status.attempts = 2;
    return status;
}

status_record rejected()
{
    status_record status;
    status.state = job_state::rejected;
    status.reason = "invalid_job";
    status.enqueued_at = at(0);
    status.finished_at = at(1);
    status.source = {"push.jobs", 0, 0};
    status.worker = "wxcourier-7f9c";
    return status;
}

status_record deferred()
{
    auto status = sent();
    status.state = job_state::deferred;
    status.reason = "quota_exhausted";
    status.errcode = 45009;
    status.errmsg = "reach max api daily quota limit";
    status.msgid.clear();
    status.finished_at.reset();
    status.retry_at = at(3'600'000);
    return status;
}

status_record without_answer(job_state state, std::string reason)
{
    auto status = sent();
    status.state = state;
    status.reason = std::move(reason);
    status.errcode.reset();
    status.errmsg.clear();
    status.msgid.clear();
    status.labels.emplace();
    status.attempts = 0;
    return status;
}

status_record receipt(job_state state, std::string reason)
{
    auto status = sent();
    status.state = state;
    status.reason = std::move(reason);
    return status;
}

status_record operator_event()
{
    auto status = rejected();
    status.state = job_state::event;
    status.app = "shop";
    status.reason = "rate_changed";
    status.source = {};
    status.operation = domain::operator_event{"group", {}, "alice", domain::rate_override{12.5, std::nullopt, 8}};
    return status;
}

std::vector<status_record> one_of_each()
{
    return {sent(),
            failed(),
            without_answer(job_state::expired, "too_old"),
            rejected(),
            without_answer(job_state::simulated, ""),
            deferred(),
            receipt(job_state::delivered, ""),
            receipt(job_state::undelivered, "refused_by_user"),
            operator_event()};
}

void expect_same(const status_record& left, const status_record& right)
{
    EXPECT_EQ(left.id, right.id);
    EXPECT_EQ(left.app, right.app);
    EXPECT_EQ(left.kind, right.kind);
    EXPECT_EQ(left.labels, right.labels);
    EXPECT_EQ(left.touser, right.touser);
    EXPECT_EQ(left.state, right.state);
    EXPECT_EQ(left.operation, right.operation);
    EXPECT_EQ(left.reason, right.reason);
    EXPECT_EQ(left.errcode, right.errcode);
    EXPECT_EQ(left.errmsg, right.errmsg);
    EXPECT_EQ(left.msgid, right.msgid);
    EXPECT_EQ(left.attempts, right.attempts);
    EXPECT_EQ(left.enqueued_at, right.enqueued_at);
    EXPECT_EQ(left.finished_at, right.finished_at);
    EXPECT_EQ(left.retry_at, right.retry_at);
    EXPECT_EQ(left.source, right.source);
    EXPECT_EQ(left.worker, right.worker);
}

TEST(encode_status, writes_the_members_in_the_documented_order)
{
    EXPECT_EQ(encode_status(sent()),
              R"({"version":1,"id":"order-42","app":"shop","kind":"official.template","labels":{"campaign":"spring"},)"
              R"("touser":"oA1b2C3d4E5f6G7h8I9j0K1l2M3n","state":"sent","errcode":0,"errmsg":"ok",)"
              R"("msgid":"3712345678901234567","attempts":1,"enqueued_at":"2026-11-22T08:15:30.000Z",)"
              R"("finished_at":"2026-11-22T08:15:30.123Z","latency_ms":123,)"
              R"("source":{"topic":"push.jobs","partition":3,"offset":1234},"worker":"wxcourier-7f9c"})");
}

TEST(encode_status, writes_null_for_what_could_not_be_read_and_leaves_out_what_was_not_there)
{
    EXPECT_EQ(encode_status(rejected()),
              R"({"version":1,"id":null,"app":null,"kind":null,"labels":null,"touser":null,"state":"rejected",)"
              R"("reason":"invalid_job","attempts":0,"enqueued_at":"2026-11-22T08:15:30.000Z",)"
              R"("finished_at":"2026-11-22T08:15:30.001Z","latency_ms":1,)"
              R"("source":{"topic":"push.jobs","partition":0,"offset":0},"worker":"wxcourier-7f9c"})");
}

TEST(encode_status, says_what_its_golden_file_says)
{
    std::string lines;
    for (const auto& status : one_of_each())
        lines += encode_status(status) + '\n';
    if (std::getenv("WXCOURIER_WRITE_GOLDEN") != nullptr)
        std::ofstream{golden_path} << lines;
    std::ostringstream golden;
    golden << std::ifstream{golden_path}.rdbuf();
    EXPECT_EQ(golden.str(), lines);
}

TEST(encode_status, never_says_a_negative_latency)
{
    auto early = sent();
    early.finished_at = at(-5000); // the producer's clock is ahead
    EXPECT_NE(encode_status(early).find("\"latency_ms\":0,"), std::string::npos);
}

TEST(encode_status, cuts_errmsg_and_replaces_what_is_no_utf8)
{
    auto status = failed();
    status.errmsg.assign(255, 'x');
    status.errmsg += "信";
    EXPECT_NE(encode_status(status).find("\"errmsg\":\"" + std::string(255, 'x') + "\""), std::string::npos);
    status.errmsg = "bad \xFF text\n";
    EXPECT_NE(encode_status(status).find("\"errmsg\":\"bad \uFFFD text\\n\""), std::string::npos);
}

TEST(encode_status, is_one_line)
{
    auto status = sent();
    status.id = "line\nfeed\r";
    status.labels = domain::label_list{{"a\nb", "c\nd"}, {"quote\"", "back\\slash"}};
    const auto json = encode_status(status);
    EXPECT_EQ(json.find('\n'), std::string::npos);
    const auto decoded = decode_status(json);
    ASSERT_TRUE(decoded);
    expect_same(*decoded, status);
}

TEST(decode_status, reads_back_every_state)
{
    for (const auto& status : one_of_each()) {
        const auto decoded = decode_status(encode_status(status));
        ASSERT_TRUE(decoded) << encode_status(status);
        expect_same(*decoded, status);
    }
}

TEST(decode_status, reads_back_the_ends_of_the_ranges)
{
    auto status = sent();
    status.errcode = std::numeric_limits<int>::min();
    status.attempts = std::numeric_limits<int>::max();
    status.source = {"t", std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int64_t>::max()};
    const auto decoded = decode_status(encode_status(status));
    ASSERT_TRUE(decoded);
    expect_same(*decoded, status);
}

TEST(decode_status, ignores_members_it_does_not_know)
{
    auto json = encode_status(sent());
    json.insert(1, R"("new":{"version":9,"deep":[1,{"state":"failed"}]},)");
    const auto decoded = decode_status(json);
    ASSERT_TRUE(decoded);
    expect_same(*decoded, sent());
}

TEST(decode_status, refuses_what_is_no_status)
{
    const auto replaced = [](std::string_view what, std::string_view by) {
        auto json = encode_status(failed());
        const auto found = json.find(what);
        EXPECT_NE(found, std::string::npos) << what;
        return json.replace(found, what.size(), by);
    };
    for (const auto& json : {std::string{},
                             std::string{"{}"},
                             std::string{"[]"},
                             std::string{"null"},
                             std::string{"{\"version\":1"},
                             replaced("\"version\":1", "\"version\":2"),
                             replaced("\"version\":1", "\"version\":\"1\""),
                             replaced("\"failed\"", "\"lost\""),
                             replaced("\"failed\"", "7"),
                             replaced("\"errcode\":43101", "\"errcode\":1.5"),
                             replaced("\"errcode\":43101", "\"errcode\":99999999999"),
                             replaced("{\"campaign\":\"spring\"}", "[]"),
                             replaced("\"spring\"", "3"),
                             replaced("\"order-42\"", "42"),
                             replaced("2026-11-22T08:15:30.000Z", "yesterday"),
                             replaced("\"offset\":1234", "\"offset\":\"1234\""),
                             replaced("\"attempts\":2", "\"attempts\":null"),
                             encode_status(failed()) + "{}",
                             encode_status(failed()) + '\0',
                             replaced("shop", "\xFF")})
        EXPECT_FALSE(decode_status(json)) << json;
}

TEST(decode_status, survives_deep_nesting)
{
    const std::string brackets(1'000'000, '[');
    EXPECT_FALSE(decode_status(brackets));
    EXPECT_FALSE(decode_status("{\"x\":" + brackets + std::string(1'000'000, ']') + "}"));
}

} // namespace
} // namespace wxcourier::codec
