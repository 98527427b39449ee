// SPDX-License-Identifier: Apache-2.0
#include "ops/admin_routes.hpp"

#include "codec/admin_codec.hpp"
#include "common/log.hpp"
#include "domain/kinds.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace wxcourier::ops {
namespace {

namespace asio = boost::asio;
using action = admin_call::action;

constexpr std::size_t longest_operator = 40;
constexpr std::size_t longest_segment = 128;

secret digest_of(std::string_view text)
{
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data()); // NOLINT: OpenSSL's type
    return secret(std::string(digest.begin(), digest.end()));
}

http_reply error(int status, std::string_view text)
{
    return admin_reply(status, codec::encode_admin_error(text));
}

/// What an operator may be called in logs and statuses: short, printable ASCII.
std::string name_of(const http_question& question)
{
    std::string name = question.operator_name.substr(0, longest_operator);
    for (char& each : name)
        if (each <= ' ' || each > '~')
            each = '_';
    return name.empty() ? question.peer : name + '@' + question.peer;
}

/// `%2F` and the like. Empty: not well-formed, or no segment.
std::optional<std::string> decoded(std::string_view segment)
{
    std::string text;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] != '%') {
            text += segment[i];
            continue;
        }
        const auto digit = [&segment](std::size_t at) -> int {
            if (at >= segment.size())
                return -1;
            const char c = segment[at];
            if (c >= '0' && c <= '9')
                return c - '0';
            const char lower = static_cast<char>(c | 0x20);
            return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
        };
        const int high = digit(i + 1);
        const int low = digit(i + 2);
        if (high < 0 || low < 0)
            return std::nullopt;
        text += static_cast<char>(high * 16 + low);
        i += 2;
    }
    const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c != '\x7F'; });
    if (text.empty() || text.size() > longest_segment || !printable)
        return std::nullopt;
    return text;
}

std::optional<std::vector<std::string>> segments_of(std::string_view path)
{
    std::vector<std::string> segments;
    while (!path.empty()) {
        path.remove_prefix(1); // the slash
        const auto end = std::min(path.find('/'), path.size());
        auto segment = decoded(path.substr(0, end));
        if (!segment)
            return std::nullopt;
        segments.push_back(std::move(*segment));
        path.remove_prefix(end);
    }
    return segments;
}

/// What a path asks for; empty: there is none such.
std::optional<admin_call> call_of(std::vector<std::string> segments)
{
    admin_call call;
    if (segments == std::vector<std::string>{"apps"})
        return call;
    if (segments == std::vector<std::string>{"drain"}) {
        call.what = action::drain;
        return call;
    }
    auto at = segments.begin();
    const auto take = [&](std::string_view word, std::string& into) {
        if (segments.end() - at < 3 || *at != word)
            return;
        into = std::move(*std::next(at));
        at += 2;
    };
    take("apps", call.target.app);
    take("kinds", call.target.kind);
    if (call.target.kind.empty())
        take("templates", call.target.template_id);
    const std::vector<std::string> rest(at, segments.end());
    const bool whole_app = call.target.kind.empty() && call.target.template_id.empty();
    if (rest == std::vector<std::string>{"pause"})
        call.what = action::pause;
    else if (rest == std::vector<std::string>{"resume"})
        call.what = action::resume;
    else if (rest == std::vector<std::string>{"rate"} && whole_app && !call.target.app.empty())
        call.what = action::rate;
    else if (rest == std::vector<std::string>{"token", "refresh"} && whole_app)
        call.what = action::refresh;
    else
        return std::nullopt;
    return call;
}

std::string_view method_of(action what)
{
    return what == action::list ? "GET" : what == action::rate ? "PUT" : "POST";
}

} // namespace

http_reply admin_reply(int status, std::string body)
{
    return {status, "application/json", std::move(body)};
}

std::variant<admin_call, http_reply> read_admin_call(const http_question& question)
{
    auto segments = segments_of(question.path);
    auto call = segments ? call_of(std::move(*segments)) : std::nullopt;
    if (!call)
        return error(404, "there is no such call; docs/reference.md lists them");
    const auto method = method_of(call->what);
    const bool posted = call->what == action::rate && question.method == "POST"; // what cannot PUT
    if (question.method != method && !posted) {
        auto reply = error(405, std::string(method) + " only");
        reply.headers.emplace_back("Allow", method);
        return reply;
    }
    if (question.query == "scope=instance")
        call->scope = engine::operator_scope::instance;
    else if (!question.query.empty() && question.query != "scope=group")
        return error(400, "the only parameter is scope, group or instance");
    if (!call->target.kind.empty() && domain::find_kind(call->target.kind) == nullptr)
        return error(404, "there is no kind " + call->target.kind);
    if (call->what == action::rate) {
        auto read = codec::decode_rate_patch(question.body);
        if (const auto* const wrong = std::get_if<std::string>(&read))
            return error(400, *wrong);
        call->rate = std::get<domain::rate_patch>(read);
    } else if (!question.body.empty()) {
        return error(400, "this call takes no body");
    }
    call->by = name_of(question);
    return std::move(*call);
}

admin_gate::admin_gate(secret token, handler perform, engine::clock& time, metrics_registry& metrics)
    : digest_(digest_of(token.reveal())), perform_(std::move(perform)), time_(time), over_(time),
      requests_(metrics["wxcourier_admin_requests_total"])
{
}

void admin_gate::use_token(const secret& token)
{
    digest_ = digest_of(token.reveal());
}

void admin_gate::stop()
{
    stopping_ = true;
    over_.notify();
}

bool admin_gate::admits(std::string_view authorization) const
{
    constexpr std::string_view scheme = "Bearer ";
    const bool bearer = authorization.starts_with(scheme);
    const auto presented = digest_of(bearer ? authorization.substr(scheme.size()) : std::string_view{});
    return CRYPTO_memcmp(presented.reveal().data(), digest_.reveal().data(), SHA256_DIGEST_LENGTH) == 0;
}

http_reply admin_gate::answer(const http_question& question)
{
    if (!admits(question.authorization))
        return refuse(question);
    failures_ = 0;
    auto read = read_admin_call(question);
    if (auto* const refusal = std::get_if<http_reply>(&read)) {
        requests_.with({"refused"}).add();
        return std::move(*refusal);
    }
    http_reply reply;
    reply.later = [this, call = std::get<admin_call>(std::move(read))] { return perform(call); };
    return reply;
}

asio::awaitable<http_reply> admin_gate::perform(admin_call call)
{
    auto reply = co_await perform_(std::move(call));
    requests_.with({reply.status < 400 ? "done" : reply.status < 500 ? "refused" : "failed"}).add();
    co_return reply;
}

http_reply admin_gate::refuse(const http_question& question)
{
    const auto now = time_.now();
    requests_.with({"unauthorized"}).add();
    if (now - last_failure_ > forgotten_after)
        failures_ = 0;
    last_failure_ = now;
    const auto delay = std::min<milliseconds>(longest_delay, first_delay * (1U << std::min<std::size_t>(failures_, 8)));
    ++failures_;
    log::warn("admin", "a request without the admin token is refused",
              {{"peer", question.peer}, {"method", question.method}, {"path", question.path}});
    if (waiting_ >= most_waiting)
        return error(429, "too many requests without the token");
    http_reply reply;
    reply.later = [this, delay] { return late_refusal(delay); };
    return reply;
}

asio::awaitable<http_reply> admin_gate::late_refusal(milliseconds delay)
{
    ++waiting_;
    const auto until = time_.now() + delay;
    while (!stopping_ && time_.now() < until)
        co_await over_.wait_until(until);
    --waiting_;
    auto reply = error(401, "the bearer token is missing or wrong");
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    co_return reply;
}

} // namespace wxcourier::ops
