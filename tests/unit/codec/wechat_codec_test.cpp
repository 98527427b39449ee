// SPDX-License-Identifier: Apache-2.0
#include "codec/wechat_codec.hpp"

#include <gtest/gtest.h>

#include <string>

namespace wxcourier::codec {
namespace {

domain::push_reply read(std::string_view body)
{
    domain::push_reply reply;
    reply.http_status = 200;
    reply.msgid = "left from before";
    read_push_answer(body, reply);
    return reply;
}

TEST(read_push_answer, reads_an_accepted_message)
{
    const auto reply = read(R"({"errcode":0,"errmsg":"ok","msgid":3712345678901234567})");
    EXPECT_EQ(reply.reach, domain::reach::answered);
    EXPECT_EQ(reply.failure, domain::transport_failure::none);
    EXPECT_EQ(reply.errcode, 0);
    EXPECT_EQ(reply.errmsg, "ok");
    EXPECT_EQ(reply.msgid, "3712345678901234567") << "beyond 2^53: a double would lose digits";
    EXPECT_EQ(reply.http_status, 200);
    EXPECT_TRUE(reply.rid.empty());
}

TEST(read_push_answer, reads_a_refusal_with_its_request_id)
{
    const auto reply =
        read("{\"errcode\":43101,\"errmsg\":\"user refuse to accept the msg rid: 6745f1a2-0a1b2c3d-4e5f6071\"}");
    EXPECT_EQ(reply.errcode, 43101);
    EXPECT_EQ(reply.errmsg, "user refuse to accept the msg rid: 6745f1a2-0a1b2c3d-4e5f6071");
    EXPECT_EQ(reply.rid, "6745f1a2-0a1b2c3d-4e5f6071");
    EXPECT_TRUE(reply.msgid.empty());
}

TEST(read_push_answer, takes_numbers_written_as_text)
{
    const auto reply = read(R"({"errcode":"-1","errmsg":"system error","msgid":"99999999999999999999999"})");
    EXPECT_EQ(reply.errcode, -1);
    EXPECT_EQ(reply.msgid, "99999999999999999999999");
}

TEST(read_push_answer, is_indifferent_to_order_blanks_and_strangers)
{
    const auto reply =
        read(" \r\n{ \"msgid\" : 7 , \"new\":{\"errcode\":1,\"deep\":[{\"errcode\":2}]},\t\"list\":[1.5e3,"
             "true,null], \"errmsg\":\"\\u5fae\\u4fe1\" , \"flag\":false, \"errcode\" : 0 }\n");
    EXPECT_EQ(reply.errcode, 0);
    EXPECT_EQ(reply.msgid, "7");
    EXPECT_EQ(reply.errmsg, "微信");
}

/// A member with a container in it takes an answer to the thorough reader.
TEST(read_push_answer, has_two_readers_that_never_differ)
{
    const std::string members = R"( "errcode" : -12,"errmsg":"ok é","msgid":34, "x":"0")";
    const std::string changes{"\"\\{}[],:0123-.eE+ \n\x1f\x01\x7f\x80\xFFtn"};
    std::size_t taken = 0;
    for (std::size_t at = 0; at <= members.size(); ++at) {
        for (const char change : changes) {
            for (const bool insert : {false, true}) {
                auto text = members;
                insert ? text.insert(at, 1, change) : text.replace(std::min(at, members.size() - 1), 1, 1, change);
                const auto quick = read("{" + text + "}");
                const auto thorough = read("{\"deep\":[]," + text + "}");
                ASSERT_EQ(quick.reach, thorough.reach) << text;
                EXPECT_EQ(quick.errcode, thorough.errcode) << text;
                EXPECT_EQ(quick.errmsg, thorough.errmsg) << text;
                EXPECT_EQ(quick.msgid, thorough.msgid) << text;
                EXPECT_EQ(quick.rid, thorough.rid) << text;
                taken += quick.reach == domain::reach::answered ? 1 : 0;
            }
        }
    }
    EXPECT_GT(taken, 500U);
}

TEST(read_push_answer, keeps_the_code_when_the_text_is_no_utf8)
{
    const auto reply = read("{\"errcode\":40003,\"errmsg\":\"invalid \xB2\xE2\"}");
    EXPECT_EQ(reply.errcode, 40003);
    EXPECT_EQ(reply.errmsg, "invalid \uFFFD\uFFFD");
}

TEST(read_push_answer, cuts_a_text_nobody_would_read)
{
    const auto reply = read("{\"errcode\":1,\"errmsg\":\"" + std::string(100'000, 'x') + "\"}");
    EXPECT_EQ(reply.errcode, 1);
    EXPECT_EQ(reply.errmsg.size(), 512U);
}

TEST(read_push_answer, ignores_a_msgid_that_is_no_number)
{
    for (const auto* msgid :
         {"\"abc\"", "1.5", "1e9", "-3", "null", "[1]", "\"1 2\"", "\"123456789012345678901234567890123\""})
    {
        const auto reply = read(std::string{R"({"errcode":0,"msgid":)"} + msgid + "}");
        EXPECT_EQ(reply.errcode, 0) << msgid;
        EXPECT_EQ(reply.msgid, "") << msgid;
    }
}

TEST(read_push_answer, takes_anything_unreadable_for_an_unknown_outcome)
{
    const std::string deep = "{\"errcode\":0,\"x\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
    const std::string nul{"{\"errcode\":0}\0{", 15};
    for (const std::string& body : {std::string{},
                                    std::string{" "},
                                    std::string{"<html>502</html>"},
                                    std::string{R"({"errcode":0)"},
                                    std::string{R"({"errmsg":"ok"})"},
                                    std::string{"{}"},
                                    std::string{"[]"},
                                    std::string{"0"},
                                    std::string{"\"errcode\""},
                                    std::string{"null"},
                                    std::string{"[{\"errcode\":0}]"},
                                    std::string{R"({"errcode":null})"},
                                    std::string{R"({"errcode":true})"},
                                    std::string{R"({"errcode":0.5})"},
                                    std::string{R"({"errcode":1e2})"},
                                    std::string{R"({"errcode":""})"},
                                    std::string{R"({"errcode":"x"})"},
                                    std::string{R"({"errcode":4294967296})"},
                                    std::string{R"({"errcode":{"errcode":0}})"},
                                    std::string{R"({"errcode":0} trailing)"},
                                    std::string{R"({"errcode":0}{})"},
                                    std::string{R"({"access_token":"T","expires_in":7200})"},
                                    deep,
                                    nul})
    {
        const auto reply = read(body);
        EXPECT_EQ(reply.reach, domain::reach::unknown) << body.substr(0, 80);
        EXPECT_EQ(reply.failure, domain::transport_failure::bad_answer);
        EXPECT_FALSE(reply.errcode);
        EXPECT_EQ(reply.msgid, "");
        EXPECT_EQ(reply.errmsg.find("html"), std::string::npos) << "the body itself is never repeated";
    }
}

TEST(read_quota_answer, reads_what_is_left)
{
    const auto answer = read_quota_answer(
        R"({"errcode":0,"errmsg":"ok","quota":{"daily_limit":100000,"used":7,"remain":"99993"},"rate_limit":{"call_count":5}})");
    ASSERT_TRUE(answer.standing);
    EXPECT_EQ(answer.standing->daily_limit, 100'000);
    EXPECT_EQ(answer.standing->remain, 99'993);
    EXPECT_EQ(answer.errcode, 0);
}

TEST(read_quota_answer, an_answer_without_figures_says_nothing)
{
    for (const auto* const body :
         {R"({"errcode":76021,"errmsg":"cgi_path not found"})", R"({"errcode":0,"errmsg":"ok"})",
          R"({"quota":{"daily_limit":5}})", R"({"quota":{"daily_limit":1e99,"remain":2}})", R"({"quota":[]})",
          R"({"errcode":40001,"errmsg":"invalid credential","quota":{"daily_limit":5,"remain":5}})", "[]", "<html>",
          ""})
        EXPECT_FALSE(read_quota_answer(body).standing) << body;
    EXPECT_EQ(read_quota_answer(R"({"errcode":76021,"errmsg":"cgi_path not found"})").errcode, 76021);
    EXPECT_EQ(read_quota_answer(R"({"errcode":76021,"errmsg":"cgi_path not found"})").errmsg, "cgi_path not found");
}

TEST(read_token_answer, reads_a_token)
{
    const auto answer = read_token_answer(R"({"access_token":"68_AbC-dEf_1","expires_in":7200})");
    EXPECT_EQ(answer.token.reveal(), "68_AbC-dEf_1");
    EXPECT_EQ(answer.expires_in, seconds{7200});
    EXPECT_FALSE(answer.errcode);
}

TEST(read_token_answer, takes_a_lifetime_written_as_text_and_a_code_of_zero)
{
    const auto answer = read_token_answer(R"({"errcode":0,"errmsg":"ok","expires_in":"345","access_token":"T"})");
    EXPECT_EQ(answer.token.reveal(), "T");
    EXPECT_EQ(answer.expires_in, seconds{345});
    EXPECT_EQ(answer.errcode, 0);
}

TEST(read_token_answer, reads_a_refusal)
{
    const auto answer =
        read_token_answer(R"({"errcode":40164,"errmsg":"invalid ip 1.2.3.4, not in whitelist rid: x"})");
    EXPECT_TRUE(answer.token.empty());
    EXPECT_EQ(answer.errcode, 40164);
    EXPECT_EQ(answer.errmsg, "invalid ip 1.2.3.4, not in whitelist rid: x");
}

TEST(read_token_answer, gives_no_token_beside_an_error_or_unfit_for_a_request)
{
    for (const std::string& body :
         {std::string{R"({"errcode":40001,"access_token":"T","expires_in":7200})"},
          std::string{R"({"access_token":"two words","expires_in":7200})"},
          std::string{R"({"access_token":"line\r\nHost: x","expires_in":7200})"},
          std::string{R"({"access_token":"","expires_in":7200})"}, std::string{R"({"access_token":7})"},
          "{\"access_token\":\"" + std::string(3000, 'T') + "\"}", std::string{"<html>"}, std::string{}})
        EXPECT_TRUE(read_token_answer(body).token.empty()) << body.substr(0, 80);
}

TEST(read_token_answer, gives_no_lifetime_where_none_can_be_read)
{
    for (const auto* lifetime : {"-5", "\"soon\"", "null", "1.5", "99999999999999", "{}"}) {
        const auto answer = read_token_answer(std::string{R"({"access_token":"T","expires_in":)"} + lifetime + "}");
        EXPECT_EQ(answer.token.reveal(), "T") << lifetime;
        EXPECT_EQ(answer.expires_in, seconds{0}) << lifetime;
    }
}

TEST(find_rid, finds_it_behind_its_label)
{
    EXPECT_EQ(find_rid("ok rid: 6745f1a2-0a1b2c3d-4e5f6071"), "6745f1a2-0a1b2c3d-4e5f6071");
    EXPECT_EQ(find_rid("invalid rid: no, rid:6745F1A2-0a1b2c3d-4e5f6071, hint: [abc]"), "6745F1A2-0a1b2c3d-4e5f6071");
}

TEST(find_rid, finds_none_in_what_only_looks_like_it)
{
    for (const std::string_view text :
         {"", "rid:", "rid: ", "rid: 6745f1a2-0a1b2c3d-4e5f607", "6745f1a2-0a1b2c3d-4e5f6071",
          "rid: 6745f1a2_0a1b2c3d_4e5f6071", "rid: 6745f1ag-0a1b2c3d-4e5f6071"})
        EXPECT_EQ(find_rid(text), "") << text;
}

TEST(SharedToken, StandsAtItsPathWithItsLifeBesideIt)
{
    const auto flat = read_shared_token(R"({"access_token":"T","expires_in":345})", "access_token", "");
    EXPECT_EQ(flat.token.reveal(), "T");
    EXPECT_EQ(flat.expires_in, seconds{345});
    const auto deep = read_shared_token(R"({"code":0,"data":{"token":"T","expires_in":"60"}})", "data.token", "");
    EXPECT_EQ(deep.token.reveal(), "T");
    EXPECT_EQ(deep.expires_in, seconds{60});
    const auto named = read_shared_token(R"({"data":{"token":"T"},"left":7})", "data.token", "left");
    EXPECT_EQ(named.expires_in, seconds{7});
    EXPECT_EQ(read_shared_token(R"({"t":"T"})", "t", "").expires_in, seconds{0}) << "not said";
}

TEST(SharedToken, IsNotTakenFromAnAnswerThatIsWrong)
{
    const auto error_of = [](std::string_view body, std::string_view expires = "") {
        const auto answer = read_shared_token(body, "data.token", expires);
        EXPECT_TRUE(answer.token.empty()) << body;
        EXPECT_EQ(answer.errmsg.find("hunter2"), std::string::npos) << answer.errmsg;
        return answer.errmsg;
    };
    EXPECT_EQ(error_of("<html>hunter2"), "the answer is no JSON");
    EXPECT_EQ(error_of(""), "the answer is no JSON");
    for (const auto* body : {"{}", "[]", "7", R"({"data":"hunter2"})", R"({"data":{"token":7}})",
                             R"({"data":{"token":""}})", R"({"data":{"token":"hunter2 hunter2"}})"})
        EXPECT_EQ(error_of(body), "the answer has no token at data.token");
    EXPECT_EQ(error_of(R"({"data":{"token":"hunter2"}})", "left"),
              "the answer does not say how many seconds the token has left");
    EXPECT_EQ(error_of(R"({"data":{"token":"hunter2"},"left":"soon"})", "left"),
              "the answer does not say how many seconds the token has left");
    EXPECT_EQ(error_of(R"({"data":{"token":"hunter2","expires_in":0}})"), "the token server's token has expired");
}

} // namespace
} // namespace wxcourier::codec
