// SPDX-License-Identifier: Apache-2.0
#include "ops/probes.hpp"

#include "ops/exposition.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace wxcourier::ops {
namespace {

std::string quoted(const std::string& text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            std::array<char, 8> code{};
            std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
            out += code.data();
        } else {
            out += c;
        }
    }
    return out += '"';
}

http_reply answer_probe(const probe_state& state, const char* good, const char* bad)
{
    std::string body = std::string(R"({"status":")") + (state.good ? good : bad) + R"(","details":{)";
    for (const auto& [name, value] : state.details) {
        if (body.back() != '{')
            body += ',';
        body += quoted(name) + ':' + quoted(value);
    }
    body += "}}\n";
    return {state.good ? 200 : 503, "application/json", std::move(body)};
}

} // namespace

http_listener::handler probe_handler(probe_sources sources)
{
    return [sources = std::move(sources)](const http_question& question) -> http_reply {
        static constexpr std::array<std::string_view, 4> paths{"/livez", "/readyz", "/metrics", "/tokens"};
        if (std::find(paths.begin(), paths.end(), question.path) == paths.end())
            return {404, "text/plain; charset=utf-8", "there are /livez, /readyz, /metrics and /tokens\n"};
        if (question.method != "GET")
            return {405, "text/plain; charset=utf-8", "GET only\n"};
        if (question.path == "/livez")
            return answer_probe(sources.live(), "live", "not live");
        if (question.path == "/readyz")
            return answer_probe(sources.ready(), "ready", "not ready");
        if (question.path == "/tokens")
            return {200, "application/json", sources.tokens()};
        return {200, exposition_content_type, expose(*sources.metrics)};
    };
}

} // namespace wxcourier::ops
