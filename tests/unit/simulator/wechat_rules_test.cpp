// SPDX-License-Identifier: Apache-2.0
#include "simulated_calls.hpp"
#include "simulator/wechat_rules.hpp"

#include <algorithm>
#include <regex>

namespace wxcourier::simulator {
namespace {

settings declared_apps()
{
    settings rules;
    rules.apps.push_back({"wxoa", secret("s"), domain::app_type::official_account});
    rules.apps.push_back({"wxmp", secret("s"), domain::app_type::mini_program});
    rules.apps.push_back({"wxany", secret("s"), {}});
    return rules;
}

TEST(token_call_test, each_wrong_parameter_has_its_code)
{
    simulated_calls wechat(declared_apps());
    const std::string call = "/cgi-bin/token?grant_type=client_credential";
    EXPECT_EQ(errcode_of(wechat.call(get(call + "&appid=wxoa&secret=s"))), 0);
    EXPECT_EQ(errcode_of(wechat.call(get(call + "&appid=wxoa&secret=x"))), 40125);
    EXPECT_EQ(errcode_of(wechat.call(get(call + "&appid=nobody&secret=s"))), 40013);
    EXPECT_EQ(errcode_of(wechat.call(get(call + "&secret=s"))), 41002);
    EXPECT_EQ(errcode_of(wechat.call(get(call + "&appid=wxoa"))), 41004);
    EXPECT_EQ(errcode_of(wechat.call(get("/cgi-bin/token?grant_type=x&appid=wxoa&secret=s"))), 40002);
    EXPECT_EQ(errcode_of(wechat.call(post("/cgi-bin/token", "{}"))), 43001);
}

TEST(token_call_test, the_stable_call_wants_post_and_json)
{
    simulated_calls wechat(declared_apps());
    const std::string path = "/cgi-bin/stable_token";
    const std::string fine = R"({"grant_type":"client_credential","appid":"wxoa","secret":"s"})";
    EXPECT_FALSE(member_of(wechat.call(post(path, fine)), "access_token").empty());
    EXPECT_EQ(errcode_of(wechat.call(get(path))), 43002);
    EXPECT_EQ(errcode_of(wechat.call(post(path, ""))), 44002);
    EXPECT_EQ(errcode_of(wechat.call(post(path, "grant_type=client_credential"))), 47001);
    EXPECT_EQ(errcode_of(wechat.call(post(path, R"({"grant_type":"x","appid":"wxoa","secret":"s"})"))), 40002);
    EXPECT_EQ(errcode_of(wechat.call(post(path, R"({"grant_type":"client_credential","appid":"wxoa","secret":"x"})"))),
              40125);
}

TEST(token_call_test, without_declared_apps_any_appid_with_a_secret_will_do)
{
    simulated_calls wechat;
    EXPECT_FALSE(wechat.classic_token("whoever").empty());
    EXPECT_EQ(errcode_of(wechat.call(get("/cgi-bin/token?grant_type=client_credential&appid=wx1&secret="))), 41004);
}

TEST(token_call_test, the_twenty_first_force_is_45009_and_parameters_are_percent_decoded)
{
    simulated_calls wechat;
    for (int i = 0; i < 20; ++i, wechat.now += seconds{30}) {
        ASSERT_EQ(errcode_of(wechat.stable(true)), 0);
    }
    EXPECT_EQ(errcode_of(wechat.stable(true)), 45009);
    EXPECT_EQ(errcode_of(wechat.call(get("/cgi-bin/token?grant_type=client%5fcredential&appid=wx1&secret=%73"))), 0);
}

TEST(send_call_test, the_token_is_checked_before_the_body)
{
    simulated_calls wechat;
    const std::string token = wechat.classic_token();
    EXPECT_EQ(errcode_of(wechat.call(post(std::string(template_send), "{}"))), 41001);
    EXPECT_EQ(errcode_of(wechat.send_to(template_send, "wrong", "{").body), 40001);
    EXPECT_EQ(errcode_of(wechat.send_to(template_send, token, "{").body), 47001);
    wechat.now += seconds{7200};
    EXPECT_EQ(errcode_of(wechat.send_to(template_send, token, "{").body), 42001);
}

TEST(send_call_test, path_and_method_come_first)
{
    simulated_calls wechat;
    EXPECT_EQ(errcode_of(wechat.call(post("/cgi-bin/message/template/sent?access_token=x", "{}"))), 40066);
    EXPECT_EQ(errcode_of(wechat.call(get(std::string(template_send) + "?access_token=x"))), 43002);
}

TEST(send_call_test, the_body_must_be_a_json_object_in_plain_utf8)
{
    simulated_calls wechat;
    EXPECT_EQ(wechat.send(template_send, ""), 44002);
    EXPECT_EQ(wechat.send(template_send, "[]"), 47001);
    EXPECT_EQ(wechat.send(template_send, "{} x"), 47001);
    EXPECT_EQ(wechat.send(template_send, std::string("{}\0{}", 5)), 47001);
    EXPECT_EQ(wechat.send(template_send, "{\"touser\":\"o\xFF\"}"), 47001);
    EXPECT_EQ(wechat.send(template_send, R"({"touser":"\u4f60"})"), 40033);
    EXPECT_EQ(
        wechat.send(template_send, R"({"touser":"o","template_id":"t","data":{"thing1":{"value":"C:\\users \"x\""}}})"),
        0)
        << "a backslash before a u is no escape of a character";
}

TEST(send_call_test, an_error_ends_with_a_request_id_that_begins_with_the_time)
{
    simulated_calls wechat;
    const std::string body = wechat.send_to(template_send, "wrong", "{}").body;
    const std::regex form(R"(\{"errcode":40001,"errmsg":"[^"]+ rid: ([0-9a-f]{8})-[0-9a-f]{8}-[0-9a-f]{8}"\})");
    std::smatch found;
    ASSERT_TRUE(std::regex_match(body, found, form)) << body;
    EXPECT_EQ(std::stoll(found[1], nullptr, 16) * 1000, noon.time_since_epoch().count());
}

TEST(send_call_test, msgids_have_nineteen_digits_and_grow)
{
    simulated_calls wechat;
    wechat.token = wechat.classic_token();
    const std::string body = fine_body(template_send, "o1");
    const std::string first = member_of(wechat.send_to(template_send, wechat.token, body).body, "msgid");
    const std::string second = member_of(wechat.send_to(template_send, wechat.token, body).body, "msgid");
    EXPECT_EQ(first.size(), 19U);
    EXPECT_LT(std::stoll(first), std::stoll(second));
}

class every_send_test : public testing::TestWithParam<const endpoint*> {};

TEST_P(every_send_test, takes_a_good_message_and_answers_with_a_msgid_where_documented)
{
    simulated_calls wechat;
    const reply answer = wechat.send_to(GetParam()->path, wechat.classic_token(), fine_body(GetParam()->path, "o1"));
    EXPECT_EQ(errcode_of(answer.body), 0) << answer.body;
    EXPECT_EQ(!member_of(answer.body, "msgid").empty(), GetParam()->has_msgid);
}

TEST_P(every_send_test, wants_a_recipient)
{
    simulated_calls wechat;
    EXPECT_EQ(wechat.send(GetParam()->path, "{}"), 41009);
    EXPECT_EQ(wechat.send(GetParam()->path, fine_body(GetParam()->path, "")), 40003);
    EXPECT_EQ(wechat.send(GetParam()->path, fine_body(GetParam()->path, "o 1")), 40003);
    EXPECT_EQ(wechat.send(GetParam()->path, R"({"touser":1})"), 40003);
}

TEST_P(every_send_test, is_open_to_its_account_type_only)
{
    simulated_calls wechat(declared_apps());
    for (const auto& [appid, open] : {std::pair{"wxoa", GetParam()->official_account},
                                      std::pair{"wxmp", GetParam()->mini_program}, std::pair{"wxany", true}})
    {
        wechat.token = wechat.classic_token(appid);
        EXPECT_EQ(wechat.send(GetParam()->path, fine_body(GetParam()->path, "o1")), open ? 0 : 48001) << appid;
    }
}

TEST_P(every_send_test, answers_as_retired_when_told_to)
{
    settings rules;
    rules.refuse_retired = true;
    simulated_calls wechat(rules);
    EXPECT_EQ(wechat.send(GetParam()->path, fine_body(GetParam()->path, "o1")), GetParam()->retired_errcode);
}

std::vector<const endpoint*> sends()
{
    std::vector<const endpoint*> found;
    for (const auto& row : all_endpoints()) {
        if (row.what == operation::send) {
            found.push_back(&row);
        }
    }
    return found;
}

INSTANTIATE_TEST_SUITE_P(calls, every_send_test, testing::ValuesIn(sends()), [](const auto& info) {
    std::string name(info.param->path.substr(9));
    std::ranges::replace(name, '/', '_');
    return name;
});

struct bad_message {
    const char* path;
    const char* body;
    int errcode;
};

class message_rules_test : public testing::TestWithParam<bad_message> {};

TEST_P(message_rules_test, a_bad_member_has_its_code)
{
    settings rules;
    rules.templates.push_back({"t", {"thing1"}});
    simulated_calls wechat(rules);
    EXPECT_EQ(wechat.send(GetParam().path, GetParam().body), GetParam().errcode) << GetParam().body;
}

constexpr auto official = "/cgi-bin/message/template/send";
INSTANTIATE_TEST_SUITE_P(
    official_template, message_rules_test,
    testing::Values(
        bad_message{official, R"({"touser":"o"})", 40036},
        bad_message{official, R"({"touser":"o","template_id":"x","data":{"thing1":{"value":"1"}}})", 40037},
        bad_message{official, R"({"touser":"o","template_id":"t"})", 47003},
        bad_message{official, R"({"touser":"o","template_id":"t","data":[]})", 47001},
        bad_message{official, R"({"touser":"o","template_id":"t","data":{}})", 47003},
        bad_message{official, R"({"touser":"o","template_id":"t","data":{"thing1":"x"}})", 47003},
        bad_message{official, R"({"touser":"o","template_id":"t","data":{"thing1":{"value":{}}}})", 47003},
        bad_message{official, R"({"touser":"o","template_id":"t","data":{"thing1":{"value":null}}})", 47003},
        bad_message{official, R"({"touser":"o","template_id":"t","data":{"thing1":{"value":5}}})", 0},
        bad_message{official, R"({"touser":"o","template_id":"t","url":5,"data":{"thing1":{"value":"1"}}})", 40039},
        bad_message{official, R"({"touser":"o","template_id":"t","url":null,"data":{"thing1":{"value":"1"}}})", 0},
        bad_message{official, R"({"touser":"o","template_id":"t","miniprogram":{},"data":{"thing1":{"value":"1"}}})",
                    40013},
        bad_message{official, R"({"touser":"o","template_id":"t","client_msg_id":5,"data":{"thing1":{"value":"1"}}})",
                    45067}));

constexpr auto once = "/cgi-bin/message/template/subscribe";
INSTANTIATE_TEST_SUITE_P(
    subscribe_once, message_rules_test,
    testing::Values(
        bad_message{once, R"({"touser":"o","template_id":"t","title":"x"})", 40035},
        bad_message{once, R"({"touser":"o","template_id":"t","title":"x","scene":"10001"})", 40035},
        bad_message{once, R"({"touser":"o","template_id":"t","title":"x","scene":1000})", 0},
        bad_message{once, R"({"touser":"o","template_id":"t","scene":"1"})", 40062},
        bad_message{once, R"({"touser":"o","template_id":"t","scene":"1","title":"一二三四五六七八九十一二三四五六"})",
                    40062},
        bad_message{once, R"({"touser":"o","template_id":"t","scene":"1","title":"x","miniprogram":{"appid":"a"}})",
                    40165}));

constexpr auto subscription = "/cgi-bin/message/subscribe/send";
INSTANTIATE_TEST_SUITE_P(
    subscription_message, message_rules_test,
    testing::Values(
        bad_message{subscription,
                    R"({"touser":"o","template_id":"t","page":"https://x","data":{"thing1":{"value":"1"}}})", 41030},
        bad_message{subscription,
                    R"({"touser":"o","template_id":"t","page":"index?a=b","data":{"thing1":{"value":"1"}}})", 0},
        bad_message{subscription, R"({"touser":"o","template_id":"t","lang":"de","data":{"thing1":{"value":"1"}}})",
                    47003},
        bad_message{subscription,
                    R"({"touser":"o","template_id":"t","miniprogram_state":"trial","data":{"thing1":{"value":"1"}}})",
                    0},
        bad_message{subscription,
                    R"({"touser":"o","template_id":"t","miniprogram_state":"x","data":{"thing1":{"value":"1"}}})",
                    47003}));

constexpr auto form = "/cgi-bin/message/wxopen/template/send";
constexpr auto uniform = "/cgi-bin/message/wxopen/template/uniform_send";
INSTANTIATE_TEST_SUITE_P(
    retired_calls, message_rules_test,
    testing::Values(bad_message{form, R"({"touser":"o","template_id":"t"})", 41028},
                    bad_message{form, R"({"touser":"o","template_id":"t","form_id":"f"})", 0},
                    bad_message{uniform, R"({"touser":"o"})", 47001},
                    bad_message{uniform, R"({"touser":"o","weapp_template_msg":{"template_id":"t"}})", 41028},
                    bad_message{uniform, R"({"touser":"o","mp_template_msg":{"template_id":"t"}})", 40013}));

constexpr auto custom = "/cgi-bin/message/custom/send";
INSTANTIATE_TEST_SUITE_P(
    custom_message, message_rules_test,
    testing::Values(bad_message{custom, R"({"touser":"o"})", 40008},
                    bad_message{custom, R"({"touser":"o","msgtype":"smoke","smoke":{}})", 40008},
                    bad_message{custom, R"({"touser":"o","msgtype":"text"})", 44004},
                    bad_message{custom, R"({"touser":"o","msgtype":"text","text":{"content":""}})", 44004},
                    bad_message{custom, R"({"touser":"o","msgtype":"image","image":{}})", 40007},
                    bad_message{custom, R"({"touser":"o","msgtype":"news","news":{"articles":[]}})", 44003},
                    bad_message{custom, R"({"touser":"o","msgtype":"news","news":{"articles":[{},{}]}})", 45008},
                    bad_message{custom, R"({"touser":"o","msgtype":"news","news":{"articles":[{}]}})", 0}));

TEST(message_rules_text_test, a_bad_field_is_named_in_wechats_words)
{
    simulated_calls wechat;
    const auto text = [&](const char* data) {
        return wechat
            .send_to(official, wechat.classic_token(),
                     R"({"touser":"o","template_id":"t","data":)" + std::string(data) + "}")
            .body;
    };
    EXPECT_NE(text(R"({"thing1":{"value":"a\nb"}})").find("argument invalid! data.thing1.value invalid rid: "),
              std::string::npos);
    EXPECT_NE(text(R"({"time3":{"value":""}})").find("argument invalid! data.time3.value is emtpy rid: "),
              std::string::npos);
}

TEST(client_msg_id_test, a_repeat_within_ten_minutes_gets_the_first_msgid)
{
    simulated_calls wechat;
    wechat.token = wechat.stable(false);
    wechat.token = member_of(wechat.token, "access_token");
    const auto send = [&](const std::string& touser, const std::string& key) {
        const reply answer = wechat.send_to(official, wechat.token,
                                            R"({"touser":")" + touser + R"(","template_id":"t","client_msg_id":")" +
                                                key + R"(","data":{}})");
        EXPECT_EQ(errcode_of(answer.body), 0);
        return member_of(answer.body, "msgid");
    };
    const std::string first = send("o1", "k");
    EXPECT_EQ(send("o1", "k"), first);
    EXPECT_NE(send("o2", "k"), first) << "the key counts for one recipient";
    EXPECT_NE(send("o1", ""), send("o1", "")) << "an empty key is none";
    EXPECT_EQ(wechat.sim.counters().suppressed(), 1U);
    EXPECT_EQ(wechat.sim.counters().shown(), 4U);
    wechat.now += std::chrono::minutes{10};
    EXPECT_NE(send("o1", "k"), first);
}

TEST(form_id_test, it_is_good_for_one_message_and_a_prepay_id_for_three)
{
    simulated_calls wechat;
    const auto send = [&](const std::string& form_id) {
        return wechat.send(form, R"({"touser":"o","template_id":"t","form_id":")" + form_id + R"("})");
    };
    EXPECT_EQ(send("f1"), 0);
    EXPECT_EQ(send("f1"), 41029);
    EXPECT_EQ(send("f2"), 0);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(send("wx20190518130000123456789"), 0);
    }
    EXPECT_EQ(send("wx20190518130000123456789"), 41029);
}

TEST(quota_call_test, quota_get_tells_what_is_left_and_clearing_restores_it)
{
    settings rules;
    rules.day_quota = 2;
    rules.minute_quota = 5;
    simulated_calls wechat(rules);
    EXPECT_EQ(wechat.send(custom, fine_body(custom, "o")), 0);
    EXPECT_EQ(wechat.send(custom, fine_body(custom, "o")), 0);
    EXPECT_EQ(wechat.send(custom, fine_body(custom, "o")), 45009);
    const auto ask = [&](const char* path) {
        return wechat
            .send_to("/cgi-bin/openapi/quota/get", wechat.token, R"({"cgi_path":")" + std::string(path) + "\"}")
            .body;
    };
    EXPECT_EQ(ask(custom), R"({"errcode":0,"errmsg":"ok","quota":{"daily_limit":2,"used":2,"remain":0},)"
                           R"("rate_limit":{"call_count":5,"refresh_second":60}})");
    EXPECT_EQ(errcode_of(ask("/nothing")), 76021);
    EXPECT_EQ(errcode_of(ask("cgi-bin/token")), 76003);
    EXPECT_EQ(errcode_of(wechat.send_to("/cgi-bin/clear_quota", wechat.token, R"({"appid":"wx1"})").body), 0);
    EXPECT_EQ(wechat.send(custom, fine_body(custom, "o")), 0);
}

TEST(quota_call_test, the_minute_quota_is_45011_until_the_next_minute)
{
    settings rules;
    rules.minute_quota = 1;
    simulated_calls wechat(rules);
    EXPECT_EQ(wechat.send(custom, fine_body(custom, "o")), 0);
    EXPECT_EQ(wechat.send(custom, fine_body(custom, "o")), 45011);
    wechat.now += seconds{60};
    EXPECT_EQ(wechat.send(custom, fine_body(custom, "o")), 0);
}

TEST(template_list_test, declared_templates_are_listed_with_their_fields)
{
    settings rules;
    rules.templates.push_back({"t1", {"thing1", "time2"}});
    simulated_calls wechat(rules);
    const std::string token = wechat.classic_token();
    const std::string official_list =
        wechat.call(get("/cgi-bin/template/get_all_private_template?access_token=" + token));
    EXPECT_NE(official_list.find(R"("template_id":"t1")"), std::string::npos) << official_list;
    EXPECT_NE(official_list.find("{{thing1.DATA}}"), std::string::npos) << official_list;
    EXPECT_NE(wechat.call(get("/wxaapi/newtmpl/gettemplate?access_token=" + token)).find(R"("priTmplId":"t1")"),
              std::string::npos);
}

} // namespace
} // namespace wxcourier::simulator
