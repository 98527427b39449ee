// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reads one HTTP response. Beast's parser does the work and keeps to the grammar; this one stores only what a WeChat
/// answer is judged by, so that reading one allocates nothing but its body.
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include <string>
#include <string_view>

namespace wxcourier::wechat {

namespace beast = boost::beast;

/// Parses one response, fed in pieces through `put`. Not reusable: one object for each response.
class response_reader final : public beast::http::basic_parser<false> {
public:
    static constexpr std::uint32_t longest_head = 8 * 1024;
    static constexpr std::uint64_t longest_body = 64 * 1024;

    response_reader();

    [[nodiscard]] int status() const noexcept { return status_; }
    /// An interim (1xx) response: another one follows.
    [[nodiscard]] bool is_interim() const noexcept { return status_ >= 100 && status_ < 200; }
    /// Its body would end with the connection: whether it is complete cannot be known.
    [[nodiscard]] bool is_unbounded() const { return is_header_done() && need_eof(); }
    [[nodiscard]] const std::string& retry_after() const noexcept { return retry_after_; }
    [[nodiscard]] std::string take_body() noexcept { return std::move(body_); }

private:
    using error_code = beast::error_code;
    using string_view = beast::string_view;

    void on_request_impl(beast::http::verb, string_view, string_view, int, error_code&) override {}
    void on_response_impl(int code, string_view reason, int version, error_code& error) override;
    void on_field_impl(beast::http::field name, string_view raw, string_view value, error_code& error) override;
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& error) override;
    std::size_t on_body_impl(string_view part, error_code& error) override;
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t remaining, string_view part, error_code& error) override;
    void on_finish_impl(error_code&) override {}

    int status_ = 0;
    std::string retry_after_;
    std::string body_;
};

} // namespace wxcourier::wechat
