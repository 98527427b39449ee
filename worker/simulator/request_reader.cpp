// SPDX-License-Identifier: Apache-2.0
#include "simulator/request_reader.hpp"

namespace wxcourier::simulator {

namespace {

constexpr std::uint64_t longest_body = 2U << 20U;
constexpr std::uint32_t longest_head = 32U << 10U;

} // namespace

request_reader::request_reader(http_request& into) : request_(into)
{
    request_.method.clear();
    request_.target.clear();
    request_.body.clear();
    request_.framing = body_framing::none;
    request_.keep_alive = true;
    request_.expects_continue = false;
    request_.malformed = false;
    eager(true);
    body_limit(longest_body);
    header_limit(longest_head);
}

void request_reader::on_request_impl(http::verb, text method_text, text target, int version, error_code&)
{
    request_.method.assign(method_text.data(), method_text.size());
    request_.target.assign(target.data(), target.size());
    old_version_ = version < 11;
}

void request_reader::on_field_impl(http::field name, text, text value, error_code&)
{
    switch (name) {
    case http::field::host:
        ++hosts_;
        break;
    case http::field::content_length:
        // Beast lets `5, 5` pass.
        request_.malformed |=
            request_.framing != body_framing::none || value.find_first_not_of("0123456789") != text::npos;
        request_.framing = body_framing::content_length;
        break;
    case http::field::transfer_encoding:
        // Beast takes other codings than chunked for no body at all, and chunks in HTTP/1.0.
        request_.malformed |=
            request_.framing != body_framing::none || old_version_ || !boost::beast::iequals(value, "chunked");
        request_.framing = body_framing::chunked;
        break;
    case http::field::expect:
        request_.expects_continue = boost::beast::iequals(value, "100-continue");
        break;
    default:
        break;
    }
}

void request_reader::on_header_impl(error_code&)
{
    request_.malformed |= hosts_ > 1 || (hosts_ == 0 && !old_version_);
}

void request_reader::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&)
{
    // The length is only announced: longest_body bounds it, and an honest client sends what it announces.
    request_.body.reserve(static_cast<std::size_t>(length.value_or(0)));
}

std::size_t request_reader::on_body_impl(text body, error_code&)
{
    request_.body.append(body.data(), body.size());
    return body.size();
}

} // namespace wxcourier::simulator
