// SPDX-License-Identifier: Apache-2.0
#include "simulated_calls.hpp"
#include "simulator/simulation.hpp"

#include <algorithm>
#include <set>

namespace wxcourier::simulator {
namespace {

struct simulation_test : testing::Test {
    reply send(const std::string& touser)
    {
        if (wechat.token.empty()) {
            wechat.token = wechat.classic_token();
        }
        return wechat.send_to(template_send, wechat.token, fine_body(template_send, touser));
    }
    std::string control(const std::string& path, const std::string& body)
    {
        return wechat.call(post("/_simulator/" + path, body));
    }
    received_request last()
    {
        received_request found;
        wechat.sim.received().visit(wechat.sim.received().last_sequence() - 1, 1,
                                    [&](const received_request& request) { found = request; });
        return found;
    }

    simulated_calls wechat;
};

TEST_F(simulation_test, a_body_without_length_is_412_and_untrusted_framing_400)
{
    auto request = post(std::string(template_send), "{}");
    request.framing = body_framing::chunked;
    EXPECT_EQ(wechat.sim.respond(request, 1, noon).status, 412U);
    request.framing = body_framing::none;
    EXPECT_EQ(wechat.sim.respond(request, 1, noon).status, 412U);
    request.malformed = true;
    const reply answer = wechat.sim.respond(request, 1, noon);
    EXPECT_EQ(answer.status, 400U);
    EXPECT_TRUE(answer.close);
}

TEST_F(simulation_test, a_scripted_errcode_takes_the_place_of_a_success_only)
{
    EXPECT_EQ(errcode_of(send("sim-errcode-43004-a").body), 43004);
    EXPECT_FALSE(last().accepted);
    const reply dead = wechat.send_to(template_send, "dead", fine_body(template_send, "sim-once-errcode-43004-a"));
    EXPECT_EQ(errcode_of(dead.body), 40001);
    EXPECT_EQ(errcode_of(send("sim-once-errcode-43004-a").body), 43004) << "the token's error did not use it up";
    EXPECT_EQ(errcode_of(send("sim-once-errcode-43004-a").body), 0);
}

TEST_F(simulation_test, a_lost_answer_leaves_the_message_accepted_and_a_gateways_does_not)
{
    EXPECT_EQ(send("sim-reset-0-a").reset_after, 0U);
    EXPECT_TRUE(last().accepted);
    EXPECT_FALSE(last().answered);
    EXPECT_EQ(send("sim-stall-a").stall_after, 0U);
    EXPECT_TRUE(last().accepted);
    const reply gateway = send("sim-http-502-a");
    EXPECT_EQ(gateway.status, 502U);
    EXPECT_EQ(gateway.content_type, "text/html");
    EXPECT_FALSE(last().accepted);
    EXPECT_TRUE(last().answered);
    EXPECT_EQ(send("sim-html-a").status, 200U);
    EXPECT_FALSE(last().accepted);
    EXPECT_EQ(send("sim-empty-a").body, "");
    EXPECT_EQ(wechat.sim.counters().shown(), 2U);
}

TEST_F(simulation_test, half_of_a_truncated_body_is_sent)
{
    const reply cut = send("sim-truncate-a");
    EXPECT_EQ(cut.truncate_to, cut.body.size() / 2);
    EXPECT_TRUE(cut.close);
}

TEST_F(simulation_test, a_status_without_a_body_has_none)
{
    EXPECT_EQ(send("sim-http-204-a").body, "");
}

TEST_F(simulation_test, latency_and_jitter_add_up_with_the_faults)
{
    wechat.sim.rules().latency = milliseconds{20};
    EXPECT_EQ(send("o").delay, milliseconds{20});
    EXPECT_EQ(send("sim-latency-250ms-a").delay, milliseconds{270});
    wechat.sim.rules().jitter = milliseconds{5};
    std::set<milliseconds> delays;
    for (int i = 0; i < 500; ++i) {
        delays.insert(send("o").delay);
    }
    EXPECT_EQ(*delays.begin(), milliseconds{15});
    EXPECT_EQ(*delays.rbegin(), milliseconds{25});
}

TEST_F(simulation_test, an_expire_script_ends_the_tokens_of_the_app_once)
{
    EXPECT_EQ(errcode_of(send("sim-expire-a").body), 42001);
    EXPECT_EQ(errcode_of(send("o").body), 42001);
    wechat.token.clear();
    EXPECT_EQ(errcode_of(send("sim-expire-a").body), 0);
}

TEST_F(simulation_test, a_rule_added_by_the_control_endpoint_is_played)
{
    EXPECT_EQ(control("faults", R"({"match":{"touser":"o*","path":"/cgi-bin/message/template/send","appid":"wx1",
                                    "probability":1},"times":1,"fault":{"errcode":-1,"errmsg":"later","latency":"5ms"}})"),
              R"({"ok":true})");
    const reply failed = send("o1");
    EXPECT_EQ(errcode_of(failed.body), -1);
    EXPECT_NE(failed.body.find("later rid: "), std::string::npos);
    EXPECT_EQ(failed.delay, milliseconds{5});
    EXPECT_EQ(errcode_of(send("o1").body), 0);
}

TEST_F(simulation_test, token_calls_fail_by_path)
{
    control("faults", R"({"match":{"path":"/cgi-bin/stable_token"},"times":1,"fault":{"errcode":40164}})");
    EXPECT_EQ(errcode_of(wechat.stable()), 40164);
    EXPECT_FALSE(member_of(wechat.stable(), "access_token").empty());
    EXPECT_EQ(wechat.sim.counters().tokens("wx1", token_source::stable), 1U);
}

TEST_F(simulation_test, a_message_can_be_accepted_although_the_answer_says_otherwise)
{
    control("faults", R"({"fault":{"errcode":-1,"accepted":true},"match":{"touser":"o"}})");
    EXPECT_EQ(errcode_of(send("o").body), -1);
    EXPECT_TRUE(last().accepted);
    EXPECT_EQ(last().errcode, -1);
    control("faults", R"({"fault":{"reset":0,"accepted":false},"match":{"touser":"p"}})");
    EXPECT_EQ(send("p").reset_after, 0U);
    EXPECT_FALSE(last().accepted);
}

TEST_F(simulation_test, control_refuses_what_it_does_not_know)
{
    for (const auto& [path, body] :
         {std::pair{"faults", "{}"}, std::pair{"faults", "["}, std::pair{"faults", R"({"fault":{"errcod":1}})"},
          std::pair{"faults", R"({"fault":{"errcode":"1"}})"}, std::pair{"faults", R"({"fault":{"reset":-1}})"},
          std::pair{"faults", R"({"match":{"probability":2},"fault":{"html":true}})"},
          std::pair{"settings", R"({"latency":"soon"})"},
          std::pair{"settings", R"({"latency":"1s","retired":"maybe"})"}, std::pair{"tokens/expire", R"({"app":"x"})"}})
    {
        const reply answer = wechat.sim.respond(post(std::string("/_simulator/") + path, body), 1, noon);
        EXPECT_EQ(answer.status, 400U) << path << ' ' << body;
        EXPECT_NE(answer.body.find("\"error\""), std::string::npos);
    }
    EXPECT_EQ(wechat.sim.rules().latency, milliseconds{0}) << "a refused change changes nothing";
    EXPECT_EQ(wechat.sim.respond(get("/_simulator/nothing"), 1, noon).status, 404U);
}

TEST_F(simulation_test, settings_change_at_run_time)
{
    const std::string shown = control("settings", R"({"latency":"20ms","jitter":5,"day_quota":1,"retired":"refuse",
                                                      "token_lifetime":"10s","grace":"1s","minute_quota":7})");
    EXPECT_EQ(shown, R"({"latency":20,"jitter":5,"minute_quota":7,"day_quota":1,"token_lifetime":10000,"grace":1000,)"
                     R"("retired":"refuse"})");
    EXPECT_EQ(errcode_of(send("o").body), 0);
    EXPECT_EQ(errcode_of(send("o").body), 45009);
}

TEST_F(simulation_test, tokens_end_by_the_control_endpoint)
{
    send("o");
    EXPECT_EQ(control("tokens/expire", R"({"appid":"wx1","errcode":40001})"), R"({"ok":true,"expired":1})");
    EXPECT_EQ(errcode_of(send("o").body), 40001);
}

TEST_F(simulation_test, the_read_out_has_bodies_word_for_word_and_no_secrets)
{
    wechat.stable();
    const std::string body = R"({"touser": "o\"1", "template_id":"t","data":{"thing1":{"value":"一\n"}}})";
    wechat.token = wechat.classic_token();
    wechat.send_to(template_send, wechat.token, body);
    const std::string text = wechat.call(get("/_simulator/received?since=2&limit=5"));
    EXPECT_NE(text.find(R"("touser":"o\"1")"), std::string::npos) << text;
    EXPECT_NE(text.find(R"("body":"{\"touser\": \"o\\\"1\", \"template_id\":\"t\",)"), std::string::npos) << text;
    EXPECT_NE(text.find(R"("seq":3,"time":1795320000000,"method":"POST",)"), std::string::npos) << text;
    const std::string all = wechat.call(get("/_simulator/received"));
    EXPECT_EQ(std::ranges::count(all, '\n'), 3);
    EXPECT_EQ(all.find("secret"), std::string::npos);
    EXPECT_EQ(all.find(wechat.token), std::string::npos);
}

TEST_F(simulation_test, statistics_count_by_call_app_and_second)
{
    send("o1");
    send("sim-errcode-43004-x");
    wechat.now += seconds{1};
    send("sim-http-502-x");
    const std::string text = wechat.call(get("/_simulator/stats"));
    EXPECT_NE(text.find(R"("requests":3,"errcodes":{"0":1,"43004":1},"statuses":{"200":2,"502":1})"), std::string::npos)
        << text;
    EXPECT_NE(text.find(R"("wx1":[[1795320000,2],[1795320001,1]])"), std::string::npos) << text;
    EXPECT_NE(text.find(R"("wx1":{"classic":1,"stable":0})"), std::string::npos) << text;
}

TEST_F(simulation_test, reset_forgets_requests_and_faults_but_no_tokens)
{
    send("o1");
    control("faults", R"({"fault":{"errcode":-1}})");
    EXPECT_EQ(control("reset", ""), R"({"ok":true})");
    EXPECT_EQ(wechat.sim.counters().requests(), 0U);
    EXPECT_EQ(wechat.sim.received().size(), 0U);
    EXPECT_EQ(errcode_of(send("o1").body), 0);
}

TEST(simulation_settings_test, counts_only_keeps_no_requests)
{
    settings rules;
    rules.record = recording::counts;
    simulated_calls wechat(rules);
    wechat.send(template_send, fine_body(template_send, "o"));
    EXPECT_EQ(wechat.sim.received().size(), 0U);
    EXPECT_EQ(wechat.sim.counters().answers(template_send, 0), 1U);
}

TEST(simulation_settings_test, without_control_its_paths_do_not_exist)
{
    settings rules;
    rules.control = false;
    simulated_calls wechat(rules);
    EXPECT_EQ(errcode_of(wechat.call(get("/_simulator/stats"))), 40066);
}

} // namespace
} // namespace wxcourier::simulator
