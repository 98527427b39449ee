// SPDX-License-Identifier: Apache-2.0
/// @file
/// The WeChat client on a loop of its own, against a scripted far end.
#pragma once

#include "tests/support/scripted_tls_server.hpp"
#include "wechat/push_client.hpp"
#include "wechat/quota_client.hpp"
#include "wechat/token_client.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace wxcourier::test {

namespace asio = boost::asio;

/// An answer with a length, as WeChat gives it.
inline std::string answer(const std::string& body, const std::string& status = "200 OK",
                          const std::string& headers = {})
{
    return "HTTP/1.1 " + status + "\r\nContent-Type: application/json; encoding=utf-8\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline const std::string accepted_body = R"({"errcode":0,"errmsg":"ok","msgid":200228332})";

/// A kind whose call is a template message's.
inline const domain::kind_rule& template_kind()
{
    static const domain::kind_rule kind = [] {
        domain::kind_rule made{};
        made.path = "/cgi-bin/message/template/send";
        return made;
    }();
    return kind;
}

/// Answers every request with `text`, as long as the client keeps the connection.
inline scripted_server::script answer_always(std::string text)
{
    return [text = std::move(text)](scripted_connection& connection) {
        while (!connection.read_request().empty() && connection.write(text)) {
        }
    };
}

class wechat_client_test : public ::testing::Test {
public:
    static test_authority& authority()
    {
        static test_authority made;
        return made;
    }

    static scripted_server::options tls()
    {
        static const server_identity identity = authority().issue();
        scripted_server::options how;
        how.identity = identity;
        return how;
    }

    /// Runs a coroutine to its end.
    template <class Result>
    Result run(asio::awaitable<Result> what)
    {
        std::optional<Result> result;
        std::exception_ptr failure;
        asio::co_spawn(io, std::move(what),
                       asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& error, Result value) {
                           failure = error;
                           result = std::move(value);
                       }));
        const steady_time limit = steady_clock::now() + seconds(60);
        io.restart();
        for (std::size_t steps = 0; !result && steady_clock::now() < limit; ++steps) {
            io.run_one_until(limit);
            if (steps == cancel_after_steps) {
                cancel.emit(asio::cancellation_type::terminal);
            }
        }
        if (failure) {
            std::rethrow_exception(failure);
        }
        if (!result) {
            throw std::runtime_error("the coroutine did not end");
        }
        return std::move(*result);
    }

    /// Begins anew with a client for these base URLs.
    void connect_to(std::vector<std::string> urls)
    {
        settings.base_urls = std::move(urls);
        settings.ca_file = authority().file();
        client = std::make_unique<wechat::transport>(io, settings);
    }

    domain::push_reply push(const std::string& body = "{}", const std::string& token = "token")
    {
        wechat::push_client pushes(*client);
        engine::push_request request;
        request.kind = &template_kind();
        request.body = body;
        request.token = token;
        return run(pushes.send(request));
    }

    engine::token_reply fetch(decltype(engine::token_request::call) call)
    {
        wechat::token_client tokens(*client);
        engine::token_request request;
        request.call = call;
        request.appid = "wx0123456789abcdef";
        request.app_secret = "hidden&secret";
        return run(tokens.fetch(request));
    }

    /// Cancels what `run` runs; from any thread.
    void cancel_from_elsewhere()
    {
        asio::post(io, [this] { cancel.emit(asio::cancellation_type::terminal); });
    }

    asio::io_context io{1};
    asio::cancellation_signal cancel;
    std::optional<std::size_t> cancel_after_steps; ///< Handlers that run before `run` cancels, not counting the first.
    wechat::client_settings settings;
    std::unique_ptr<wechat::transport> client;
};

} // namespace wxcourier::test
