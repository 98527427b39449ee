// SPDX-License-Identifier: Apache-2.0
#include "simulator/message_rules.hpp"

#include "simulator/field_rules.hpp"
#include "simulator/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace wxcourier::simulator {

namespace {

using verdict = std::optional<refusal>;

verdict refuse(int errcode, std::string errmsg = {})
{
    return refusal{errcode, std::move(errmsg)};
}

bool has_blank(std::string_view text) noexcept
{
    return text.find_first_of(" \t\r\n") != std::string_view::npos;
}

verdict check_recipient(json_value body)
{
    const json_value touser = member(body, "touser");
    if (!touser) {
        return refuse(41009);
    }
    const auto openid = text_of(touser);
    return !openid || openid->empty() || openid->size() > 128 || has_blank(*openid) ? refuse(40003) : std::nullopt;
}

const declared_template* find_template(std::string_view id, std::span<const declared_template> templates)
{
    const auto found = std::ranges::find(templates, id, &declared_template::id);
    return found == templates.end() ? nullptr : &*found;
}

verdict check_template_id(json_value message, std::span<const declared_template> templates)
{
    const std::string_view id = text_member(message, "template_id");
    if (id.empty() || id.size() > 128) {
        return refuse(40036);
    }
    return has_blank(id) || (!templates.empty() && find_template(id, templates) == nullptr) ? refuse(40037)
                                                                                            : std::nullopt;
}

verdict bad_field(std::string_view name, field_verdict found)
{
    // "emtpy" is WeChat's own spelling.
    std::string text = "argument invalid! data.";
    text.append(name).append(found == field_verdict::empty ? ".value is emtpy" : ".value invalid");
    return refuse(47003, std::move(text));
}

verdict check_value(std::string_view name, json_value entry)
{
    const json_value value = member(entry, "value");
    if (!value || value.is(json_type::object) || value.is(json_type::array)) {
        return bad_field(name, !value ? field_verdict::empty : field_verdict::invalid);
    }
    const field_verdict found = check_field(name, shown_text(value));
    return found == field_verdict::fine ? std::nullopt : bad_field(name, found);
}

/// `data` of the calls that need it: every value by its type, and every field the template has.
verdict check_data(json_value message, std::span<const declared_template> templates)
{
    const json_value data = member(message, "data");
    if (!data) {
        return refuse(47003, "argument invalid! data is emtpy");
    }
    if (!data.is(json_type::object)) {
        return refuse(47001);
    }
    for (const json_value field : data.children()) {
        if (auto found = check_value(field.key(), field)) {
            return found;
        }
    }
    if (const auto* const known = find_template(text_member(message, "template_id"), templates)) {
        for (const auto& name : known->fields) {
            if (!member(data, name)) {
                return bad_field(name, field_verdict::empty);
            }
        }
    }
    return std::nullopt;
}

verdict check_url(json_value message, std::string_view name)
{
    const json_value url = member(message, name);
    if (!url) {
        return std::nullopt;
    }
    const auto text = text_of(url);
    return !text || text->size() > 2'048 ? refuse(40039) : std::nullopt;
}

/// The mini program to open: its appid is required, its page where the call says so.
verdict check_miniprogram(json_value message, bool needs_page)
{
    const json_value target = member(message, "miniprogram");
    if (!target) {
        return std::nullopt;
    }
    const std::string_view appid = text_member(target, "appid");
    if (appid.empty() || has_blank(appid)) {
        return refuse(40013);
    }
    const json_value page = member(target, "pagepath");
    const bool broken = page && (!page.is(json_type::string) || has_blank(page.text()));
    return broken || (needs_page && !page) ? refuse(40165) : std::nullopt;
}

/// A page of the mini program itself. Which pages exist is not known here; a web address is never one.
verdict check_page(json_value message)
{
    const json_value page = member(message, "page");
    if (!page) {
        return std::nullopt;
    }
    const auto path = text_of(page);
    const bool web = path && (path->starts_with("http://") || path->starts_with("https://"));
    return !path || web || has_blank(*path) ? refuse(41030) : std::nullopt;
}

verdict check_choice(json_value message, std::string_view name, std::span<const std::string_view> allowed)
{
    const json_value given = member(message, name);
    if (!given) {
        return std::nullopt;
    }
    const auto text = text_of(given);
    const bool known = text && std::ranges::find(allowed, *text) != allowed.end();
    return known ? std::nullopt : refuse(47003, "argument invalid! " + std::string(name) + " invalid");
}

/// The first check that finds something ends the others.
template <class... Check>
verdict first_of(const Check&... checks)
{
    verdict found;
    static_cast<void>(((found = checks(), found.has_value()) || ...));
    return found;
}

verdict check_official_template(json_value body, std::span<const declared_template> templates)
{
    return first_of([&] { return check_template_id(body, templates); }, [&] { return check_url(body, "url"); },
                    [&] { return check_miniprogram(body, false); }, [&] { return check_data(body, templates); },
                    [&] {
                        const json_value key = member(body, "client_msg_id");
                        const bool fits = !key || (key.is(json_type::string) && key.text().size() <= 64);
                        return fits ? verdict{} : refuse(45067);
                    });
}

verdict check_scene(json_value body)
{
    const std::string_view text = shown_text(member(body, "scene"));
    unsigned number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool fine = error == std::errc{} && rest == text.data() + text.size() && number <= 10'000;
    return fine ? std::nullopt : refuse(40035);
}

verdict check_title(json_value body)
{
    const std::string_view title = text_member(body, "title");
    return title.empty() || count_code_points(title) > 15 ? refuse(40062) : std::nullopt;
}

verdict check_content(json_value body)
{
    const json_value data = member(body, "data");
    const json_value content = member(data, "content");
    if (data && !data.is(json_type::object)) {
        return refuse(47001);
    }
    return content && count_code_points(text_member(content, "value")) > 200 ? refuse(45002) : std::nullopt;
}

verdict check_subscribe_once(json_value body, std::span<const declared_template> templates)
{
    return first_of([&] { return check_template_id(body, templates); }, [&] { return check_url(body, "url"); },
                    [&] { return check_miniprogram(body, true); }, [&] { return check_scene(body); },
                    [&] { return check_title(body); }, [&] { return check_content(body); });
}

verdict check_subscription_notice(json_value body, std::span<const declared_template> templates)
{
    return first_of([&] { return check_template_id(body, templates); },
                    [&] { return check_url(body, "page") ? refuse(41030) : verdict{}; },
                    [&] { return check_miniprogram(body, false); }, [&] { return check_data(body, templates); });
}

verdict check_subscription_message(json_value body, std::span<const declared_template> templates)
{
    static constexpr std::array<std::string_view, 3> states{"developer", "trial", "formal"};
    static constexpr std::array<std::string_view, 4> languages{"zh_CN", "en_US", "zh_HK", "zh_TW"};
    return first_of([&] { return check_template_id(body, templates); }, [&] { return check_page(body); },
                    [&] { return check_data(body, templates); },
                    [&] { return check_choice(body, "miniprogram_state", states); },
                    [&] { return check_choice(body, "lang", languages); });
}

/// The retired mini program message; its data is optional and its fields (`keyword1`, …) have no types.
verdict check_form_template(json_value message, std::span<const declared_template> templates)
{
    return first_of([&] { return check_template_id(message, templates); },
                    [&] {
                        const std::string_view form_id = text_member(message, "form_id");
                        return form_id.empty() || has_blank(form_id) ? refuse(41028) : verdict{};
                    },
                    [&] { return check_page(message); },
                    [&] { return !member(message, "data") ? verdict{} : check_data(message, {}); });
}

verdict check_uniform(json_value body, std::span<const declared_template> templates)
{
    if (const json_value weapp = member(body, "weapp_template_msg")) {
        return weapp.is(json_type::object) ? check_form_template(weapp, templates) : refuse(47001);
    }
    const json_value official = member(body, "mp_template_msg");
    if (!official.is(json_type::object)) {
        return refuse(47001);
    }
    return first_of([&] { return text_member(official, "appid").empty() ? refuse(40013) : verdict{}; },
                    [&] { return check_official_template(official, templates); });
}

verdict check_articles(json_value news)
{
    const json_value articles = member(news, "articles");
    if (!articles.is(json_type::array) || articles.size() == 0) {
        return refuse(44003);
    }
    return articles.size() > 1 ? refuse(45008) : std::nullopt;
}

/// Which members the object named like `msgtype` must have, and what their absence is answered with.
struct custom_type {
    std::string_view msgtype;
    std::array<std::string_view, 3> required;
    int errcode;
};

constexpr std::array custom_types{
    custom_type{"text", {"content"}, 44004},
    custom_type{"image", {"media_id"}, 40007},
    custom_type{"voice", {"media_id"}, 40007},
    custom_type{"video", {"media_id"}, 40007},
    custom_type{"music", {"thumb_media_id"}, 40007},
    custom_type{"news", {}, 0},
    custom_type{"mpnews", {"media_id"}, 40007},
    custom_type{"mpnewsarticle", {"article_id"}, 40007},
    custom_type{"msgmenu", {"head_content"}, 44004},
    custom_type{"wxcard", {"card_id"}, 40035},
    custom_type{"miniprogrampage", {"title", "pagepath", "thumb_media_id"}, 40035},
    custom_type{"link", {"title", "url"}, 40035},
};

verdict check_custom(json_value body)
{
    const std::string_view msgtype = text_member(body, "msgtype");
    const auto* const type = std::ranges::find(custom_types, msgtype, &custom_type::msgtype);
    if (type == custom_types.end()) {
        return refuse(40008);
    }
    const json_value content = member(body, msgtype);
    if (!content.is(json_type::object)) {
        return refuse(type->errcode != 0 ? type->errcode : 44003);
    }
    for (const auto name : type->required) {
        if (!name.empty() && text_member(content, name).empty()) {
            return refuse(type->errcode);
        }
    }
    if (msgtype == "text" && text_member(content, "content").size() > 2'048) {
        return refuse(45002);
    }
    return msgtype == "news" ? check_articles(content) : std::nullopt;
}

} // namespace

std::optional<refusal> check_message(message_shape shape, json_value body, std::span<const declared_template> templates)
{
    if (auto found = check_recipient(body)) {
        return found;
    }
    switch (shape) {
    case message_shape::official_template:
        return check_official_template(body, templates);
    case message_shape::subscribe_once:
        return check_subscribe_once(body, templates);
    case message_shape::subscription_notice:
        return check_subscription_notice(body, templates);
    case message_shape::subscription_message:
        return check_subscription_message(body, templates);
    case message_shape::form_template:
        return check_form_template(body, templates);
    case message_shape::uniform:
        return check_uniform(body, templates);
    case message_shape::custom:
        return check_custom(body);
    case message_shape::none:
        break;
    }
    return std::nullopt;
}

} // namespace wxcourier::simulator
