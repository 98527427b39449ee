// SPDX-License-Identifier: Apache-2.0
#include "domain/reasons.hpp"

#include <array>

namespace wxcourier::domain {

std::span<const reason_definition> all_reasons() noexcept
{
    using enum job_state;
    static constexpr std::array rows{
        reason_definition{reason::invalid_job, rejected,
                          "the record is no job; the dead letter's error names the place"},
        reason_definition{reason::unknown_app, rejected, "the configuration has no such app"},
        reason_definition{reason::unknown_kind, rejected, "there is no such kind"},
        reason_definition{reason::forbidden_app, rejected, "the topic may not send for this app"},
        reason_definition{reason::invalid_recipient, failed,
                          "the openid is unknown, of another account, or barred from this message"},
        reason_definition{reason::not_subscribed, failed,
                          "the recipient does not follow the account, or no conversation with them is open"},
        reason_definition{reason::refused_by_user, failed,
                          "the recipient refused, or the last subscription has been used up"},
        reason_definition{reason::invalid_template, failed, "the template is unknown, disabled, restricted or banned"},
        reason_definition{reason::invalid_data, failed, "WeChat refuses a value or the size of the message"},
        reason_definition{reason::invalid_form_id, failed, "the form_id is wrong, expired or used up"},
        reason_definition{reason::content_refused, failed, "WeChat refuses what the message says"},
        reason_definition{reason::not_permitted, failed,
                          "the account may not make this call, or WeChat has withdrawn the call"},
        reason_definition{reason::unknown_error, failed, "an errcode that wxcourier does not know"},
        reason_definition{reason::retries_exhausted, failed, "no final answer within `delivery.retry.give_up_after`"},
        reason_definition{reason::outcome_unknown, failed, "the message may have been accepted; it is not sent again"},
        reason_definition{reason::expired, expired, "`expire_at` has passed"},
        reason_definition{reason::too_old, expired, "the job is older than `delivery.max_age`"},
        reason_definition{reason::not_before, deferred, "the job's `not_before` lies ahead"},
        reason_definition{reason::quota_exhausted, deferred, "a quota of the app is used up until it resets"},
        reason_definition{reason::rate_limited, deferred, "WeChat's minute limit holds the app's call back"},
        reason_definition{reason::recipient_limited, deferred, "WeChat holds messages to this recipient back"},
        reason_definition{reason::app_halted, deferred, "the app's credentials or account need a person"},
        reason_definition{reason::app_paused, deferred, "an operator has paused it"},
        reason_definition{reason::app_paused, event, "an operator paused the app, or all apps where `app` is null"},
        reason_definition{reason::app_resumed, event, "an operator ended that pause"},
        reason_definition{reason::kind_paused, event, "an operator paused a kind, in one app or in all"},
        reason_definition{reason::kind_resumed, event, "an operator ended that pause"},
        reason_definition{reason::template_paused, event, "an operator paused a template, in one app or in all"},
        reason_definition{reason::template_resumed, event, "an operator ended that pause"},
        reason_definition{reason::rate_changed, event, "an operator changed the app's rate, burst or concurrency"},
        reason_definition{reason::token_refreshed, event, "an operator asked for a new token of the app"},
        reason_definition{reason::drain, event, "an operator had this worker drain and end"},
    };
    return rows;
}

std::string_view known_reason(std::string_view text) noexcept
{
    for (const auto& each : all_reasons())
        if (each.word == text)
            return each.word;
    return {};
}

} // namespace wxcourier::domain
