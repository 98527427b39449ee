// SPDX-License-Identifier: Apache-2.0
#include "simulator/endpoints.hpp"

#include <algorithm>
#include <array>

namespace wxcourier::simulator {

namespace {

using enum message_shape;

// path, operation, shape, POST, open to OA, open to MP, msgid, retired with, per minute, per day
constexpr std::array endpoint_table{
    endpoint{"/cgi-bin/message/template/send", operation::send, official_template, true, true, false, true, 0, 0, 0},
    endpoint{"/cgi-bin/message/subscribe/send", operation::send, subscription_message, true, false, true, true, 0, 0,
             0},
    endpoint{"/cgi-bin/message/custom/send", operation::send, custom, true, true, true, false, 0, 0, 0},
    endpoint{"/cgi-bin/message/subscribe/bizsend", operation::send, subscription_notice, true, true, false, true, 0, 0,
             0},
    endpoint{"/cgi-bin/message/template/subscribe", operation::send, subscribe_once, true, true, false, false, 0, 0, 0},
    endpoint{"/cgi-bin/message/wxopen/template/send", operation::send, form_template, true, false, true, false, 45103,
             0, 0},
    endpoint{"/cgi-bin/message/wxopen/template/uniform_send", operation::send, uniform, true, false, true, false, 45109,
             0, 0},
    endpoint{"/cgi-bin/stable_token", operation::stable_token, none, true, true, true, false, 0, 10'000, 500'000},
    endpoint{"/cgi-bin/token", operation::classic_token, none, false, true, true, false, 0, 0, 2'000},
    endpoint{"/cgi-bin/openapi/quota/get", operation::query_quota, none, true, true, true, false, 0, 0, 0},
    endpoint{"/cgi-bin/openapi/quota/clear", operation::clear_one_quota, none, true, true, true, false, 0, 0, 0},
    endpoint{"/cgi-bin/clear_quota", operation::clear_quota, none, true, true, true, false, 0, 0, 0},
    endpoint{"/cgi-bin/clear_quota/v2", operation::clear_quota_by_secret, none, true, true, true, false, 0, 0, 0},
    endpoint{"/cgi-bin/getcallbackip", operation::callback_addresses, none, false, true, true, false, 0, 0, 0},
    endpoint{"/cgi-bin/template/get_all_private_template", operation::official_templates, none, false, true, false,
             false, 0, 0, 0},
    endpoint{"/wxaapi/newtmpl/gettemplate", operation::subscription_templates, none, false, true, true, false, 0, 0, 0},
};

} // namespace

std::span<const endpoint> all_endpoints() noexcept
{
    return endpoint_table;
}

const endpoint* find_endpoint(std::string_view path) noexcept
{
    const auto* const row = std::ranges::find(endpoint_table, path, &endpoint::path);
    return row == endpoint_table.end() ? nullptr : row;
}

std::size_t index_of(const endpoint& row) noexcept
{
    return static_cast<std::size_t>(&row - endpoint_table.data());
}

} // namespace wxcourier::simulator
