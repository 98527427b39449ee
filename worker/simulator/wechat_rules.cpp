// SPDX-License-Identifier: Apache-2.0
#include "simulator/wechat_rules.hpp"

#include "codec/utf8.hpp"
#include "simulator/message_rules.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::simulator {

namespace {

constexpr std::chrono::minutes client_msg_id_span{10};
constexpr std::chrono::days form_id_span{7};
constexpr std::size_t remembered_keys = 8'000'000;
constexpr std::int64_t first_msgid = 3'700'000'000'000'000'000;
constexpr std::uint64_t without_quota = 1'000'000'000; ///< What quota/get says where there is no limit.

wechat_answer success(std::string body = R"({"errcode":0,"errmsg":"ok"})")
{
    wechat_answer answer;
    answer.body = std::move(body);
    return answer;
}

std::optional<refusal> code(int errcode)
{
    return errcode == 0 ? std::nullopt : std::optional(refusal{errcode, {}});
}

} // namespace

wechat_rules::wechat_rules(const settings& rules, dice& random)
    : settings_(rules), dice_(random), tokens_(rules, random), quotas_(rules),
      client_msg_ids_(client_msg_id_span, remembered_keys), form_ids_(form_id_span, remembered_keys)
{
}

void wechat_rules::reset()
{
    quotas_.reset();
    client_msg_ids_.reset();
    form_ids_.reset();
}

incoming_call wechat_rules::read(const http_request& request, wall_time now)
{
    incoming_call call;
    call.request = &request;
    call.row = find_endpoint(request.path());
    if (call.row == nullptr) {
        return call;
    }
    if (!request.body.empty()) {
        const json_value root = parse_json(document_, request.body);
        call.body = root.is(json_type::object) ? root : json_value{};
    }
    if (!call.needs_token()) {
        call.appid =
            call.row->post ? std::string(text_member(call.body, "appid")) : query_value(request.query(), "appid");
        return call;
    }
    call.access_token = query_value(request.query(), "access_token");
    if (call.access_token.empty()) {
        call.token_errcode = 41001;
    } else {
        const auto standing = tokens_.find(call.access_token, now);
        call.token_errcode = standing.errcode;
        call.appid = standing.appid;
    }
    if (call.row->what == operation::send) {
        call.touser = text_member(call.body, "touser");
    }
    return call;
}

wechat_answer wechat_rules::answer(const incoming_call& call, const std::optional<refusal>& scripted, wall_time now)
{
    if (auto found = check_request(call)) {
        return refuse(*found, now);
    }
    if (call.needs_token()) {
        if (auto found = code(quotas_.take(call.appid, *call.row, now))) {
            return refuse(*found, now);
        }
    }
    if (auto found = check_body(call)) {
        return refuse(*found, now);
    }
    return act(call, scripted, now);
}

wechat_rules::verdict wechat_rules::check_request(const incoming_call& call) const
{
    if (call.row == nullptr) {
        return code(40066);
    }
    if (call.request->method != (call.row->post ? "POST" : "GET")) {
        return code(call.row->post ? 43002 : 43001);
    }
    if (call.token_errcode != 0) {
        return code(call.token_errcode);
    }
    if (!call.needs_token()) {
        return std::nullopt;
    }
    if (!open_to(*call.row, call.appid)) {
        return code(48001);
    }
    return settings_.refuse_retired ? code(call.row->retired_errcode) : std::nullopt;
}

wechat_rules::verdict wechat_rules::check_body(const incoming_call& call) const
{
    if (!call.row->post) {
        return std::nullopt;
    }
    if (call.request->body.empty()) {
        return code(44002);
    }
    if (!call.body) {
        return code(47001);
    }
    if (has_unicode_escape(call.request->body)) {
        return code(40033);
    }
    return call.row->what == operation::send ? check_message(call.row->shape, call.body, settings_.templates)
                                             : std::nullopt;
}

const declared_app* wechat_rules::find_app(std::string_view appid) const
{
    const auto found = std::ranges::find(settings_.apps, appid, &declared_app::appid);
    return found == settings_.apps.end() ? nullptr : &*found;
}

bool wechat_rules::open_to(const endpoint& row, std::string_view appid) const
{
    const declared_app* const app = find_app(appid);
    if (app == nullptr || !app->type) {
        return true;
    }
    return *app->type == domain::app_type::official_account ? row.official_account : row.mini_program;
}

wechat_rules::verdict wechat_rules::check_account(const incoming_call& call, std::string_view secret_text) const
{
    if (call.appid.empty()) {
        return code(41002);
    }
    if (secret_text.empty()) {
        return code(41004);
    }
    if (settings_.apps.empty()) {
        return std::nullopt;
    }
    const declared_app* const app = find_app(call.appid);
    if (app == nullptr) {
        return code(40013);
    }
    return app->app_secret == secret(std::string(secret_text)) ? std::nullopt : code(40125);
}

wechat_rules::verdict wechat_rules::check_credentials(const incoming_call& call, std::string_view grant_type,
                                                      std::string_view secret_text) const
{
    return grant_type == "client_credential" ? check_account(call, secret_text) : code(40002);
}

wechat_answer wechat_rules::act(const incoming_call& call, const std::optional<refusal>& scripted, wall_time now)
{
    const operation what = call.row->what;
    if (what == operation::classic_token || what == operation::stable_token) {
        return give_token(call, scripted, now);
    }
    if (what == operation::send) {
        return accept_message(call, scripted, now);
    }
    if (scripted) {
        return play(*scripted, now);
    }
    switch (what) {
    case operation::clear_quota:
    case operation::clear_one_quota:
    case operation::clear_quota_by_secret:
        return clear_quota(call, now);
    case operation::query_quota:
        return query_quota(call, now);
    case operation::callback_addresses:
        return success(R"({"ip_list":["127.0.0.1"]})");
    case operation::official_templates:
        return list_templates(true);
    default:
        return list_templates(false);
    }
}

wechat_answer wechat_rules::give_token(const incoming_call& call, const std::optional<refusal>& scripted, wall_time now)
{
    const bool stable = call.row->what == operation::stable_token;
    const std::string_view query = call.request->query();
    const std::string grant_type =
        stable ? std::string(text_member(call.body, "grant_type")) : query_value(query, "grant_type");
    const std::string secret_text =
        stable ? std::string(text_member(call.body, "secret")) : query_value(query, "secret");
    if (auto found = check_credentials(call, grant_type, secret_text)) {
        return refuse(*found, now);
    }
    if (auto found = code(quotas_.take(call.appid, *call.row, now))) {
        return refuse(*found, now);
    }
    if (scripted) {
        return play(*scripted, now);
    }
    std::optional<issued_token> issued;
    if (stable) {
        const json_value force = member(call.body, "force_refresh");
        issued = tokens_.issue_stable(call.appid, force.is(json_type::boolean) && force.boolean(), now);
    } else {
        issued = tokens_.issue_classic(call.appid, now);
    }
    if (!issued) {
        return refuse({45009, {}}, now);
    }
    wechat_answer answer;
    answer.body = R"({"access_token":")" + issued->token + R"(","expires_in":)" +
                  std::to_string(issued->expires_in.count()) + '}';
    if (issued->fresh) {
        answer.token_issued = stable ? token_source::stable : token_source::classic;
    }
    return answer;
}

/// The retired mini program messages: one message per form id, three per prepay_id (`wx` and digits).
wechat_rules::verdict wechat_rules::use_form_id(const incoming_call& call, wall_time now)
{
    json_value message;
    if (call.row->shape == message_shape::form_template) {
        message = call.body;
    } else if (call.row->shape == message_shape::uniform) {
        message = member(call.body, "weapp_template_msg");
    }
    if (!message) {
        return std::nullopt;
    }
    const std::string_view form_id = text_member(message, "form_id");
    const bool payment = form_id.starts_with("wx") &&
                         form_id.find_first_not_of("0123456789", 2) == std::string_view::npos && form_id.size() > 16;
    bool repeated = false;
    std::int64_t& left = form_ids_.remember(call.appid, form_id, {}, payment ? 3 : 1, now, repeated);
    if (left == 0) {
        return code(41029);
    }
    --left;
    return std::nullopt;
}

wechat_answer wechat_rules::accept_message(const incoming_call& call, const std::optional<refusal>& scripted,
                                           wall_time now)
{
    if (scripted) {
        return play(*scripted, now);
    }
    if (auto found = use_form_id(call, now)) {
        return refuse(*found, now);
    }
    if (!call.row->has_msgid) {
        return success();
    }
    wechat_answer answer;
    last_msgid_ = std::max(last_msgid_ + 1, first_msgid + now.time_since_epoch().count());
    answer.msgid = last_msgid_;
    if (call.row->shape == message_shape::official_template) {
        const std::string_view key = text_member(call.body, "client_msg_id");
        if (!key.empty()) {
            answer.msgid = client_msg_ids_.remember(call.appid, call.touser, key, answer.msgid, now, answer.duplicate);
        }
    }
    answer.body = R"({"errcode":0,"errmsg":"ok","msgid":)" + std::to_string(answer.msgid) + '}';
    return answer;
}

wechat_answer wechat_rules::clear_quota(const incoming_call& call, wall_time now)
{
    const endpoint* row = nullptr;
    if (call.row->what == operation::clear_quota_by_secret) {
        if (auto found = check_account(call, text_member(call.body, "appsecret"))) {
            return refuse(*found, now);
        }
    } else if (call.row->what == operation::clear_quota) {
        if (text_member(call.body, "appid") != call.appid) {
            return refuse({40013, {}}, now);
        }
    } else {
        row = find_endpoint(text_member(call.body, "cgi_path"));
        if (row == nullptr) {
            return refuse({76021, {}}, now);
        }
    }
    return quotas_.clear_by_owner(call.appid, row, now) ? success() : refuse({48006, {}}, now);
}

wechat_answer wechat_rules::query_quota(const incoming_call& call, wall_time now)
{
    const std::string_view path = text_member(call.body, "cgi_path");
    if (!path.starts_with('/')) {
        return refuse({76003, {}}, now);
    }
    const endpoint* const row = find_endpoint(path);
    if (row == nullptr) {
        return refuse({76021, {}}, now);
    }
    if (!open_to(*row, call.appid)) {
        return refuse({76022, {}}, now);
    }
    const auto used = quotas_.today(call.appid, *row, now);
    const std::uint64_t limit = used.day_limit != 0 ? used.day_limit : without_quota;
    wechat_answer answer;
    answer.body = R"({"errcode":0,"errmsg":"ok","quota":{"daily_limit":)" + std::to_string(limit) + R"(,"used":)" +
                  std::to_string(used.day_used) + R"(,"remain":)" +
                  std::to_string(limit - std::min(limit, used.day_used)) + '}';
    if (used.minute_limit != 0) {
        answer.body +=
            R"(,"rate_limit":{"call_count":)" + std::to_string(used.minute_limit) + R"(,"refresh_second":60})";
    }
    answer.body += '}';
    return answer;
}

wechat_answer wechat_rules::list_templates(bool official) const
{
    std::string body = official ? R"({"template_list":[)" : R"({"errcode":0,"errmsg":"ok","data":[)";
    for (const auto& known : settings_.templates) {
        body += body.ends_with('[') ? "{" : ",{";
        body += official ? R"("template_id":)" : R"("priTmplId":)";
        codec::append_clean_json_string(body, known.id);
        body += R"(,"title":"simulated","content":)";
        std::string content;
        for (const auto& field : known.fields) {
            content.append(field).append(":{{").append(field).append(".DATA}}\n");
        }
        codec::append_clean_json_string(body, content);
        body +=
            official ? R"(,"primary_industry":"","deputy_industry":"","example":""})" : R"(,"example":"","type":2})";
    }
    return success(body + "]}");
}

wechat_answer wechat_rules::refuse(const refusal& why, wall_time now)
{
    wechat_answer answer;
    answer.errcode = why.errcode;
    std::string text = why.errmsg.empty() ? std::string(error_text(why.errcode)) : why.errmsg;
    text += make_rid(now, dice_.number());
    answer.body = R"({"errcode":)" + std::to_string(why.errcode) + R"(,"errmsg":)";
    codec::append_clean_json_string(answer.body, text);
    answer.body += '}';
    return answer;
}

wechat_answer wechat_rules::play(const refusal& scripted, wall_time now)
{
    wechat_answer answer = refuse(scripted, now);
    answer.scripted = true;
    return answer;
}

} // namespace wxcourier::simulator
