// SPDX-License-Identifier: Apache-2.0
// A rule stands here only for what WeChat's documentation of the call demands: a job that WeChat might take must pass.
// The limits of single template fields are WeChat's to change, so they are left to it (47003).
#include "domain/kinds.hpp"

#include <algorithm>
#include <array>

namespace wxcourier::domain {
namespace {

constexpr auto string = member_type::string;
constexpr auto object = member_type::object;
constexpr auto any = member_type::any;
constexpr bool required = true;
constexpr bool optional = false;

constexpr std::array official_template{
    member_rule{"/touser", string, required},        member_rule{"/template_id", string, required},
    member_rule{"/miniprogram", object, optional},   member_rule{"/miniprogram/appid", string, required},
    member_rule{"/client_msg_id", string, optional}, member_rule{"/data", object, required},
};

// `scene` is a number that the documentation writes as a string.
constexpr std::array official_subscribe_once{
    member_rule{"/touser", string, required},      member_rule{"/template_id", string, required},
    member_rule{"/miniprogram", object, optional}, member_rule{"/miniprogram/appid", string, required},
    member_rule{"/scene", any, required},          member_rule{"/title", string, required, 15},
    member_rule{"/data", object, optional},        member_rule{"/data/content/value", any, optional, 200},
};

constexpr std::array official_subscribe{
    member_rule{"/touser", string, required},      member_rule{"/template_id", string, required},
    member_rule{"/miniprogram", object, optional}, member_rule{"/miniprogram/appid", string, required},
    member_rule{"/data", object, required},
};

constexpr std::array miniprogram_template{
    member_rule{"/touser", string, required},
    member_rule{"/template_id", string, required},
    member_rule{"/form_id", string, required},
    member_rule{"/data", object, optional},
};

constexpr std::array miniprogram_subscribe{
    member_rule{"/touser", string, required},
    member_rule{"/template_id", string, required},
    member_rule{"/data", object, required},
};

constexpr std::array miniprogram_uniform{
    member_rule{"/touser", string, required},
    member_rule{"/weapp_template_msg", object, optional},
    member_rule{"/weapp_template_msg/template_id", string, required},
    member_rule{"/weapp_template_msg/form_id", string, required},
    member_rule{"/mp_template_msg", object, optional},
    member_rule{"/mp_template_msg/appid", string, required},
    member_rule{"/mp_template_msg/template_id", string, required},
};

constexpr std::array custom{
    member_rule{"/touser", string, required},
    member_rule{"/msgtype", string, required},
};

constexpr auto official = app_type::official_account;
constexpr auto mini = app_type::mini_program;
constexpr auto values = data_shape::values;
constexpr auto no_data = data_shape::none;
constexpr bool takes_key = true, no_key = false;
constexpr bool live = false, retired = true;
constexpr bool has_msgtype = true, no_msgtype = false;

constexpr std::array kinds{
    kind_rule{"official.template", "/cgi-bin/message/template/send", official, takes_key, live, values, no_msgtype,
              official_template},
    kind_rule{"official.subscribe_once", "/cgi-bin/message/template/subscribe", official, no_key, live, values,
              no_msgtype, official_subscribe_once},
    kind_rule{"official.subscribe", "/cgi-bin/message/subscribe/bizsend", official, no_key, live, values, no_msgtype,
              official_subscribe},
    kind_rule{"official.custom", "/cgi-bin/message/custom/send", official, no_key, live, no_data, has_msgtype, custom},
    kind_rule{"miniprogram.template", "/cgi-bin/message/wxopen/template/send", mini, no_key, retired, values,
              no_msgtype, miniprogram_template},
    kind_rule{"miniprogram.subscribe", "/cgi-bin/message/subscribe/send", mini, no_key, live, values, no_msgtype,
              miniprogram_subscribe},
    kind_rule{"miniprogram.uniform", "/cgi-bin/message/wxopen/template/uniform_send", mini, no_key, retired, no_data,
              no_msgtype, miniprogram_uniform},
    kind_rule{"miniprogram.custom", "/cgi-bin/message/custom/send", mini, no_key, live, no_data, has_msgtype, custom},
};

} // namespace

const kind_rule* find_kind(std::string_view name) noexcept
{
    const auto* const found = std::ranges::find(kinds, name, &kind_rule::name);
    return found == kinds.end() ? nullptr : found;
}

std::span<const kind_rule> all_kinds() noexcept
{
    return kinds;
}

} // namespace wxcourier::domain
