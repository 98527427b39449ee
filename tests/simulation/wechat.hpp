// SPDX-License-Identifier: Apache-2.0
/// @file
/// WeChat, and the network on the way to it: tokens, quotas, its memory of client_msg_ids, and every way to fail.
#pragma once

#include "domain/push_reply.hpp"
#include "domain/token_refresh_plan.hpp"
#include "engine/ports.hpp"
#include "tests/simulation/chronicle.hpp"
#include "tests/simulation/facts.hpp"
#include "tests/simulation/setting.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace wxcourier::simulation {

/// How requests fare.
enum class weather : std::uint8_t {
    fine,
    refused, ///< No connection.
    silent,  ///< Requests go out, and no answer comes back.
    broken,  ///< HTTP 5xx, 401 or 403.
    crowded, ///< HTTP 429 with a Retry-After.
    busy,    ///< errcode -1.
};

class wechat {
public:
    wechat(test::manual_clock& time, chronicle& record, const setting& how);

    /// A request of an assignment; `answered` is called once with what comes of it.
    void send(message_fact& message, engine::assignment_id by, std::string body, std::string token,
              std::function<void(domain::push_reply)> answered);
    void fetch(std::uint32_t app, domain::token_call how, std::function<void(engine::token_reply)> answered);

    // ------------------------------------------------------------------------------------------- what happens to it
    void change_weather(weather to, steady_duration how_long);
    void kill_token(std::uint32_t app);
    void refuse_tokens(std::uint32_t app, int errcode, steady_duration how_long);
    void exhaust_minute(std::uint32_t app);
    void exhaust_day(std::uint32_t app);
    /// From now on nothing goes wrong here.
    void behave();

private:
    struct app_state {
        std::string token;
        steady_time expires{};
        bool token_is_dead = false;
        int issued = 0;
        steady_time refused_until{};
        int refused_with = 0;
        std::optional<wall_time> minute_full_until;
        std::optional<wall_time> day_full_until;
        std::map<std::string, steady_time> client_msg_ids; ///< When WeChat saw each first.
    };
    enum class fate : std::uint8_t { answered, answer_lost, request_lost, refused };

    [[nodiscard]] fate draw_fate();
    domain::push_reply handle(message_fact& message, engine::assignment_id by, const std::string& body,
                              const std::string& token);
    int judge(message_fact& message, app_state& app, const std::string& body, const std::string& token);
    void deliver(message_fact& message, engine::assignment_id by);
    engine::token_reply give_token(std::uint32_t app, domain::token_call how);

    test::manual_clock& time_;
    chronicle& record_;
    const setting& how_;
    std::vector<app_state> apps_;
    weather weather_ = weather::fine;
    steady_time weather_until_{};
    bool well_behaved_ = false;
};

} // namespace wxcourier::simulation
