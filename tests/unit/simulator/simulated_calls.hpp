// SPDX-License-Identifier: Apache-2.0
/// @file
/// Short ways to call a simulation and to read what it answers.
#pragma once

#include "simulator/simulation.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace wxcourier::simulator {

/// 2026-11-22 12:00:00 in China.
inline constexpr wall_time noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{4}};

inline constexpr std::string_view template_send = "/cgi-bin/message/template/send";

inline int errcode_of(std::string_view body)
{
    const auto at = body.find("\"errcode\":");
    int code = 0;
    if (at != std::string_view::npos) {
        std::from_chars(body.data() + at + 10, body.data() + body.size(), code);
    }
    return code;
}

/// What stands behind `"name":`, without quotes.
inline std::string member_of(std::string_view body, std::string_view name)
{
    const std::string key = "\"" + std::string(name) + "\":";
    const auto at = body.find(key);
    if (at == std::string_view::npos) {
        return {};
    }
    std::string_view rest = body.substr(at + key.size());
    const bool quoted = rest.starts_with('"');
    rest.remove_prefix(quoted ? 1 : 0);
    return std::string(rest.substr(0, rest.find_first_of(quoted ? "\"" : ",}")));
}

inline http_request post(std::string target, std::string body)
{
    http_request request;
    request.method = "POST";
    request.target = std::move(target);
    request.body = std::move(body);
    request.framing = body_framing::content_length;
    return request;
}

inline http_request get(std::string target)
{
    http_request request;
    request.method = "GET";
    request.target = std::move(target);
    return request;
}

/// A body every send of this path takes.
inline std::string fine_body(std::string_view path, const std::string& touser)
{
    const std::string start = R"({"touser":")" + touser + R"(","template_id":"t",)";
    if (path.ends_with("custom/send")) {
        return R"({"touser":")" + touser + R"(","msgtype":"text","text":{"content":"hi"}})";
    }
    if (path.ends_with("template/subscribe")) {
        return start + R"("scene":"1","title":"hi","data":{"content":{"value":"hi"}}})";
    }
    if (path.ends_with("uniform_send")) {
        return R"({"touser":")" + touser + R"(","mp_template_msg":{"appid":"wx1","template_id":"t","data":{}}})";
    }
    if (path.ends_with("wxopen/template/send")) {
        return start + R"("form_id":"f","data":{"keyword1":{"value":"hi"}}})";
    }
    return start + R"("data":{"thing1":{"value":"hi"}}})";
}

/// A simulation, what time it is there, and a client of it.
struct simulated_calls {
    explicit simulated_calls(settings rules = {}) : sim(std::move(rules)) {}

    std::string call(const http_request& request) { return sim.respond(request, 1, now).body; }

    std::string classic_token(const std::string& appid = "wx1")
    {
        return member_of(call(get("/cgi-bin/token?grant_type=client_credential&appid=" + appid + "&secret=s")),
                         "access_token");
    }
    std::string stable(bool force = false, const std::string& appid = "wx1")
    {
        return call(post("/cgi-bin/stable_token", R"({"grant_type":"client_credential","appid":")" + appid +
                                                      R"(","secret":"s","force_refresh":)" +
                                                      (force ? "true}" : "false}")));
    }
    reply send_to(std::string_view path, const std::string& token, std::string body)
    {
        return sim.respond(post(std::string(path) + "?access_token=" + token, std::move(body)), 1, now);
    }
    /// The errcode of a send with a token that works.
    int send(std::string_view path, std::string body)
    {
        if (token.empty()) {
            token = classic_token();
        }
        return errcode_of(send_to(path, token, std::move(body)).body);
    }

    simulation sim;
    wall_time now = noon;
    std::string token;
};

} // namespace wxcourier::simulator
