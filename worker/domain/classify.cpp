// SPDX-License-Identifier: Apache-2.0
#include "domain/classify.hpp"

#include "domain/reasons.hpp"

#include <algorithm>
#include <array>

namespace wxcourier::domain {
namespace {

using enum next_step;
using namespace reason;

// clang-format off
constexpr auto send_table = std::to_array<error_rule>({
    {-1, retry, "", "system busy; the usual sign of too high a rate"},
    {0, accept, "", "ok"},
    {40001, renew_token, "", "access_token invalid or not the latest"},
    {40002, retry, "", "grant_type wrong: a defect of ours"},
    {40003, fail, invalid_recipient, "openid unknown, of another account, or it has unfollowed"},
    {40004, fail, invalid_data, "media type invalid"},
    {40005, fail, invalid_data, "file type invalid"},
    {40006, fail, invalid_data, "file size invalid"},
    {40007, fail, invalid_data, "media_id invalid"},
    {40008, fail, invalid_data, "message type invalid"},
    {40013, fail, invalid_data, "appid invalid: that of `miniprogram`, or it is not bound to the account"},
    {40014, renew_token, "", "access_token malformed"},
    {40033, retry, "", "\\uXXXX escapes in the body: a defect of ours"},
    {40035, fail, invalid_data, "a parameter is invalid"},
    {40036, fail, invalid_template, "template_id has a wrong length"},
    {40037, fail, invalid_template, "template_id unknown: of another account, deleted, or its category changed"},
    {40038, fail, invalid_data, "request format unsupported"},
    {40039, fail, invalid_data, "URL too long"},
    {40048, fail, invalid_data, "URL of a domain that is not allowed"},
    {40062, fail, invalid_data, "title too long"},
    {40066, fail, invalid_data, "URL invalid"},
    {40125, retry, "", "AppSecret invalid"},
    {40164, retry, "", "caller's IP not in the whitelist"},
    {40165, fail, invalid_data, "mini program page path invalid"},
    {40166, fail, invalid_data, "mini program appid invalid"},
    {40241, park_recipient, recipient_limited, "the same message went to the recipient within 60 seconds"},
    {40243, retry, "", "AppSecret frozen"},
    {40246, retry, "", "template cannot be added; no answer to a send"},
    {40247, retry, "", "template cannot be added; no answer to a send"},
    {40249, fail, content_refused, "marketing content is forbidden"},
    {41001, renew_token, "", "access_token missing"},
    {41002, retry, "", "appid missing: a defect of ours"},
    {41004, retry, "", "AppSecret missing: a defect of ours"},
    {41009, fail, invalid_data, "openid missing"},
    {41028, fail, invalid_form_id, "form_id wrong or expired"},
    {41029, fail, invalid_form_id, "form_id used up"},
    {41030, fail, invalid_data, "page not in the released mini program"},
    {42001, renew_token, "", "access_token expired"},
    {42007, retry, "", "credential void since a password was changed; of web authorisation only"},
    {43001, retry, "", "GET required: a defect of ours"},
    {43002, retry, "", "POST required: a defect of ours"},
    {43003, retry, "", "HTTPS required: a defect of ours"},
    {43004, fail, not_subscribed, "recipient does not follow the account"},
    {43005, fail, not_subscribed, "recipient is no contact of the account"},
    {43019, fail, invalid_recipient, "recipient is on the account's blacklist"},
    {43100, fail, invalid_template, "template changed too often, or it does not exist"},
    {43101, fail, refused_by_user, "recipient refuses, or has no subscription left"},
    {43104, fail, not_permitted, "account may not make this call"},
    {43106, fail, not_permitted, "call withdrawn as a punishment"},
    {43107, fail, invalid_template, "subscription messages banned for the template or the account"},
    {43108, park_recipient, recipient_limited, "several messages to the recipient at one time"},
    {43116, fail, invalid_template, "template restricted"},
    {43117, park_recipient, recipient_limited, "too many messages to the recipient"},
    {44001, fail, invalid_data, "media file empty"},
    {44002, retry, "", "body empty: a defect of ours"},
    {44003, fail, invalid_data, "news empty"},
    {44004, fail, invalid_data, "text empty"},
    {45001, fail, invalid_data, "media file too large"},
    {45002, fail, invalid_data, "content too long"},
    {45003, fail, invalid_data, "title too long"},
    {45004, fail, invalid_data, "description too long"},
    {45005, fail, invalid_data, "link too long"},
    {45006, fail, invalid_data, "picture link too long"},
    {45007, fail, invalid_data, "voice too long"},
    {45008, fail, invalid_data, "too many articles"},
    {45009, park_day, quota_exhausted, "day quota of the call used up"},
    {45011, park_minute, rate_limited, "minute limit of the call reached"},
    {45012, fail, invalid_data, "template too large"},
    {45013, fail, invalid_data, "too many values for the template"},
    {45014, fail, invalid_data, "message too large"},
    {45015, fail, not_subscribed, "time to answer the recipient has run out, or it has unfollowed"},
    {45026, fail, invalid_template, "too many templates"},
    {45027, fail, invalid_template, "template conflicts with the account's industry"},
    {45035, retry, "", "caller's IP not in the whitelist"},
    {45040, park_day, quota_exhausted, "month quota used up; asked again each day"},
    {45047, park_recipient, recipient_limited, "no more messages until the recipient acts"},
    {45051, fail, invalid_data, "template link invalid"},
    {45065, accept, "", "client_msg_id known: the first one was accepted"},
    {45066, park_recipient, recipient_limited, "client_msg_id is being worked on, again after a minute"},
    {45067, fail, invalid_data, "client_msg_id too long"},
    {45087, fail, not_permitted, "customer messages blocked"},
    {45093, park_day, quota_exhausted, "no quota for customer messages"},
    {45094, fail, not_permitted, "customer messages withdrawn as a punishment"},
    {45102, fail, not_permitted, "call blocked for a time"},
    {45103, fail, not_permitted, "call no longer supported"},
    {45104, park_day, quota_exhausted, "quota of the domain used up"},
    {45109, fail, not_permitted, "call no longer supported"},
    {45168, fail, content_refused, "a word that is on WeChat's blacklist"},
    {46004, fail, invalid_recipient, "user does not exist"},
    {47001, fail, invalid_data, "body cannot be read"},
    {47002, retry, "", "\\uXXXX escapes in the body: a defect of ours"},
    {47003, fail, invalid_data, "a field of `data` is invalid; errmsg names it"},
    {48001, fail, not_permitted, "account may not make this call, or has the wrong type for it"},
    {48002, fail, refused_by_user, "recipient has turned messages off"},
    {48003, retry, "", "agreement on mass messages not accepted yet"},
    {48004, fail, not_permitted, "call forbidden for irregularities"},
    {48006, retry, "", "resets of the quota used up; no answer to a send"},
    {48008, fail, not_permitted, "account may not send messages of this type"},
    {48009, fail, not_permitted, "permission for the call has expired"},
    {48011, fail, invalid_template, "template disabled"},
    {50001, fail, not_permitted, "user or account not authorised"},
    {50002, fail, not_permitted, "user or account limited, frozen or closed"},
    {50003, fail, not_permitted, "not in the white list"},
    {50004, halt_app, app_halted, "account forbidden to use access tokens"},
    {50005, fail, not_subscribed, "recipient does not follow the account"},
    {50007, halt_app, app_halted, "account frozen"},
    {61003, retry, "", "account not authorised to the third-party platform"},
    {61004, retry, "", "caller's IP not registered"},
    {61007, retry, "", "call not authorised to the third-party platform"},
    {61014, retry, "", "authorisation of the third-party platform"},
    {61015, retry, "", "authorisation of the third-party platform"},
    {61016, retry, "", "authorisation of the third-party platform"},
    {61017, retry, "", "authorisation of the third-party platform"},
    {61023, retry, "", "refresh token of the third-party platform invalid"},
    {61024, retry, "", "the third-party platform's own token is needed"},
    {61450, retry, "", "customer service: system error"},
    {61451, fail, invalid_data, "customer service: parameter invalid"},
    {61452, fail, invalid_data, "customer service: kf_account invalid"},
    {61453, fail, invalid_data, "customer service: kf_account exists"},
    {61454, fail, invalid_data, "customer service: kf_account too long"},
    {61455, fail, invalid_data, "customer service: kf_account has forbidden characters"},
    {61456, fail, invalid_data, "customer service: too many accounts"},
    {61457, fail, invalid_data, "customer service: picture type invalid"},
    {70000, fail, invalid_recipient, "blocked to protect minors"},
    {85107, fail, invalid_data, "listed for subscription messages without a text"},
    {89501, retry, "", "an administrator's confirmation is awaited"},
    {89502, retry, "", "an administrator's confirmation is awaited"},
    {89503, retry, "", "an administrator's confirmation is awaited"},
    {89504, retry, "", "an administrator's confirmation is awaited"},
    {89505, retry, "", "an administrator's confirmation is awaited"},
    {89506, retry, "", "an administrator refused this IP for 24 hours"},
    {89507, retry, "", "an administrator refused this IP for 1 hour"},
    {1119003, retry, "", "seen on template messages; meaning not published"},
    {1119004, retry, "", "seen on template messages; meaning not published"},
    {9001002, retry, "", "a service behind WeChat's is unavailable"},
});

constexpr auto http_table = std::to_array<http_rule>({
    {100, 299, retry_unknown, outcome_unknown, "success without WeChat's JSON"},
    {300, 399, retry, "", "a redirect, never followed: the token would go along"},
    {400, 412, retry, "", "refused by a gateway (401, 403), or a defect of ours (412: no Content-Length)"},
    {413, 414, fail, invalid_data, "message too large"},
    {415, 499, retry, "", "refused by a gateway; 429 after its Retry-After"},
    {500, 501, retry, "", "nothing was accepted"},
    {502, 502, retry_unknown, outcome_unknown, "a gateway lost the answer"},
    {503, 503, retry, "", "nothing was accepted; after its Retry-After"},
    {504, 504, retry_unknown, outcome_unknown, "a gateway lost the answer"},
    {505, 505, retry, "", "nothing was accepted"},
    {506, 999, retry_unknown, outcome_unknown, "not known to mean that nothing was accepted"},
});

constexpr auto token_table = std::to_array<token_rule>({
    {-1, token_step::retry, "wechat_busy", "system busy"},
    {40001, token_step::halt, wrong_secret, "AppSecret wrong, or of another account"},
    {40002, token_step::halt, "bad_request", "grant_type wrong: a defect of ours"},
    {40013, token_step::halt, "wrong_appid", "appid invalid; case and blanks count"},
    {40125, token_step::halt, wrong_secret, "AppSecret invalid"},
    {40164, token_step::halt, "ip_not_allowed", "caller's IP not in the whitelist; errmsg names it"},
    {40243, token_step::halt, "secret_frozen", "AppSecret frozen; thawing takes about 10 minutes"},
    {41002, token_step::halt, "bad_request", "appid missing: a defect of ours"},
    {41004, token_step::halt, "bad_request", "AppSecret missing: a defect of ours"},
    {43002, token_step::halt, "bad_request", "POST required: a defect of ours"},
    {45009, token_step::park_day, "token_quota_exhausted", "day limit of the token call; the old token stays in use"},
    {45011, token_step::park_minute, "token_rate_limited", "minute limit of the token call"},
    {45035, token_step::halt, "ip_not_allowed", "caller's IP not in the whitelist"},
    {50004, token_step::halt, "token_forbidden", "account forbidden to use access tokens"},
    {50007, token_step::halt, "account_frozen", "account frozen"},
    {61004, token_step::halt, "ip_not_allowed", "caller's IP not registered"},
    {61024, token_step::halt, "platform_token_needed", "the third-party platform's own token is needed"},
    {89501, token_step::park_ten_minutes, "confirmation_awaited", "an administrator's confirmation is awaited"},
    {89502, token_step::park_ten_minutes, "confirmation_awaited", "an administrator's confirmation is awaited"},
    {89503, token_step::park_ten_minutes, "confirmation_awaited", "an administrator's confirmation is awaited"},
    {89504, token_step::park_ten_minutes, "confirmation_awaited", "an administrator's confirmation is awaited"},
    {89505, token_step::park_ten_minutes, "confirmation_awaited", "an administrator's confirmation is awaited"},
    {89506, token_step::park_day, "refused_by_administrator", "an administrator refused this IP for 24 hours"},
    {89507, token_step::park_hour, "refused_by_administrator", "an administrator refused this IP for 1 hour"},
});
// clang-format on

/// Whether the table can be searched: ascending, no code twice.
template <typename Row, std::size_t Size>
consteval bool ascends(const std::array<Row, Size>& table, int Row::*key)
{
    return std::ranges::adjacent_find(table, std::ranges::greater_equal{}, key) == table.end();
}
static_assert(ascends(send_table, &error_rule::errcode));
static_assert(ascends(http_table, &http_rule::last));
static_assert(ascends(token_table, &token_rule::errcode));

/// The row of a code in a table that ascends by code; null: none.
template <typename Row, std::size_t Size>
const Row* find_row(const std::array<Row, Size>& table, int errcode) noexcept
{
    const auto row = std::ranges::lower_bound(table, errcode, {}, &Row::errcode);
    return row != table.end() && row->errcode == errcode ? &*row : nullptr;
}

/// Codes that, after an attempt whose outcome is unknown, may mean that it had arrived.
constexpr bool may_echo_an_earlier_attempt(int errcode) noexcept
{
    return errcode == 43101 || errcode == 40241 || errcode == 41029 || errcode == 45047;
}

/// Codes that pass by themselves; every other one that is retried stands for a defect or a setting somebody must mend.
constexpr bool passes_by_itself(int errcode) noexcept
{
    return errcode == -1 || errcode == 61450 || errcode == 1119003 || errcode == 1119004 || errcode == 9001002;
}

constexpr verdict unknown_outcome{.step = retry_unknown, .reason = outcome_unknown};

verdict classify_errcode(int errcode, bool after_unknown) noexcept
{
    if (after_unknown && may_echo_an_earlier_attempt(errcode))
        return {.step = fail, .reason = outcome_unknown};
    if (const auto* row = find_send_rule(errcode))
        return {.step = row->step,
                .reason = row->reason,
                .needs_person = row->step == halt_app || (row->step == retry && !passes_by_itself(errcode))};
    return {.step = fail, .reason = unknown_error, .known_code = false};
}

verdict classify_http_status(int status) noexcept
{
    const auto row = std::ranges::lower_bound(http_table, status, {}, &http_rule::last);
    if (row == http_table.end() || status < row->first)
        return unknown_outcome;
    return {.step = row->step, .reason = row->reason, .needs_person = row->step == retry && status < 429};
}

} // namespace

std::span<const error_rule> send_rules() noexcept
{
    return send_table;
}

const error_rule* find_send_rule(int errcode) noexcept
{
    return find_row(send_table, errcode);
}

std::span<const http_rule> http_rules() noexcept
{
    return http_table;
}

verdict classify(const push_reply& reply, bool after_unknown) noexcept
{
    switch (reply.reach) {
    case reach::not_sent:
        return {.step = retry};
    case reach::unknown:
        return unknown_outcome;
    case reach::answered:
        break;
    }
    // Some gateways put a body of their own behind their status; only WeChat's own answers are HTTP 200.
    const bool from_wechat = reply.http_status >= 200 && reply.http_status < 300;
    if (from_wechat && reply.errcode)
        return classify_errcode(*reply.errcode, after_unknown);
    return classify_http_status(reply.http_status);
}

std::span<const token_rule> token_rules() noexcept
{
    return token_table;
}

token_verdict classify_token_failure(std::optional<int> errcode) noexcept
{
    if (!errcode)
        return {token_step::retry, "no_answer"};
    if (const auto* row = find_row(token_table, *errcode))
        return {row->step, row->reason};
    return {token_step::retry, unknown_error};
}

std::string_view find_rejected_ip(std::string_view errmsg) noexcept
{
    constexpr std::string_view label = "invalid ip ";
    constexpr std::string_view letters = "0123456789abcdefABCDEF.:";
    const auto at = errmsg.find(label);
    if (at == std::string_view::npos)
        return {};
    errmsg.remove_prefix(at + label.size());
    return errmsg.substr(0, errmsg.find_first_not_of(letters));
}

std::string_view to_string(next_step step) noexcept
{
    static constexpr std::array<std::string_view, 9> names{"accept",         "retry",       "retry_unknown",
                                                           "renew_token",    "park_minute", "park_day",
                                                           "park_recipient", "fail",        "halt_app"};
    return names.at(static_cast<std::size_t>(step));
}

std::string_view to_string(token_step step) noexcept
{
    static constexpr std::array<std::string_view, 6> names{
        "retry", "halt", "park_minute", "park_day", "park_ten_minutes", "park_hour"};
    return names.at(static_cast<std::size_t>(step));
}

} // namespace wxcourier::domain
