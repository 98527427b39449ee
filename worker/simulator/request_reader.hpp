// SPDX-License-Identifier: Apache-2.0
/// @file
/// Beast's HTTP parser, keeping only what the simulator asks for, and stricter where Beast 1.81 is lenient.
#pragma once

#include "simulator/incoming_call.hpp"

#include <boost/beast/http/basic_parser.hpp>

namespace wxcourier::simulator {

namespace http = boost::beast::http;

/// Parses one request into an http_request, which it clears first and which must outlive it.
class request_reader final : public http::basic_parser<true> {
public:
    explicit request_reader(http_request& into);

private:
    using text = boost::beast::string_view;
    using error_code = boost::beast::error_code;

    void on_request_impl(http::verb method, text method_text, text target, int version, error_code& error) override;
    void on_response_impl(int, text, int, error_code&) override {}
    void on_field_impl(http::field name, text name_text, text value, error_code& error) override;
    void on_header_impl(error_code& error) override;
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& error) override;
    std::size_t on_body_impl(text body, error_code& error) override;
    void on_chunk_header_impl(std::uint64_t, text, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, text body, error_code&) override { return body.size(); }
    void on_finish_impl(error_code&) override {}

    http_request& request_;
    unsigned hosts_ = 0;
    bool old_version_ = false;
};

} // namespace wxcourier::simulator
