// SPDX-License-Identifier: Apache-2.0
#include "wechat/response_reader.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>

namespace wxcourier::wechat {
namespace {

bool is_chunked(std::string_view coding)
{
    static constexpr std::string_view chunked = "chunked";
    return std::equal(coding.begin(), coding.end(), chunked.begin(), chunked.end(),
                      [](char left, char right) { return (left | 0x20) == right; });
}

} // namespace

response_reader::response_reader()
{
    eager(true);
    header_limit(longest_head);
    body_limit(longest_body);
}

void response_reader::on_response_impl(int code, string_view, int, error_code&)
{
    status_ = code;
}

void response_reader::on_field_impl(beast::http::field name, string_view, string_view value, error_code& error)
{
    if (name == beast::http::field::transfer_encoding && !is_chunked({value.data(), value.size()})) {
        // Beast would go by Content-Length beside another coding: then two readers may see two different bodies.
        error = beast::http::error::bad_transfer_encoding;
    } else if (name == beast::http::field::retry_after) {
        retry_after_.assign(value.data(), std::min<std::size_t>(value.size(), 64));
    }
}

void response_reader::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&)
{
    if (length) {
        body_.reserve(static_cast<std::size_t>(std::min(*length, longest_body)));
    }
}

std::size_t response_reader::on_body_impl(string_view part, error_code&)
{
    body_.append(part.data(), part.size());
    return part.size();
}

std::size_t response_reader::on_chunk_body_impl(std::uint64_t, string_view part, error_code& error)
{
    return on_body_impl(part, error);
}

} // namespace wxcourier::wechat
