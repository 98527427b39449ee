// SPDX-License-Identifier: Apache-2.0
/// @file
/// How WeChat answers a call: the order of its checks, and what it remembers of the calls before. No sockets, no
/// clock: the caller says what time it is.
#pragma once

#include "common/time.hpp"
#include "simulator/dice.hpp"
#include "simulator/error_texts.hpp"
#include "simulator/incoming_call.hpp"
#include "simulator/quota_ledger.hpp"
#include "simulator/repeat_window.hpp"
#include "simulator/settings.hpp"
#include "simulator/token_registry.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace wxcourier::simulator {

/// The JSON answer to one call.
struct wechat_answer {
    int errcode = 0;
    std::string body;
    std::int64_t msgid = 0; ///< 0: none.
    bool duplicate = false; ///< A repeat that WeChat recognised: accepted, not shown to the user again.
    bool scripted = false;  ///< It is the scripted refusal.
    std::optional<token_source> token_issued; ///< A new token was made.
};

/// Not thread-safe.
class wechat_rules {
public:
    /// `rules` must outlive this; what may change while it runs is read at each call.
    wechat_rules(const settings& rules, dice& random);

    /// Reads a request; the result is good until the next one.
    incoming_call read(const http_request& request, wall_time now);

    /// Judges it. A scripted refusal takes the place of a success: whatever would be refused anyway gets its own error.
    wechat_answer answer(const incoming_call& call, const std::optional<refusal>& scripted, wall_time now);

    /// The answer that turns a call down.
    wechat_answer refuse(const refusal& why, wall_time now);

    token_registry& tokens() noexcept { return tokens_; }

    /// Forgets quotas used and repeats remembered. Tokens stay.
    void reset();

private:
    using verdict = std::optional<refusal>;

    verdict check_request(const incoming_call& call) const;
    verdict check_body(const incoming_call& call) const;
    verdict check_account(const incoming_call& call, std::string_view secret_text) const;
    verdict check_credentials(const incoming_call& call, std::string_view grant_type,
                              std::string_view secret_text) const;
    [[nodiscard]] const declared_app* find_app(std::string_view appid) const;
    [[nodiscard]] bool open_to(const endpoint& row, std::string_view appid) const;

    wechat_answer act(const incoming_call& call, const std::optional<refusal>& scripted, wall_time now);
    wechat_answer give_token(const incoming_call& call, const std::optional<refusal>& scripted, wall_time now);
    wechat_answer accept_message(const incoming_call& call, const std::optional<refusal>& scripted, wall_time now);
    wechat_answer clear_quota(const incoming_call& call, wall_time now);
    wechat_answer query_quota(const incoming_call& call, wall_time now);
    [[nodiscard]] wechat_answer list_templates(bool official) const;
    verdict use_form_id(const incoming_call& call, wall_time now);

    wechat_answer play(const refusal& scripted, wall_time now);

    const settings& settings_;
    dice& dice_;
    codec::json_document document_;
    token_registry tokens_;
    quota_ledger quotas_;
    repeat_window client_msg_ids_;
    repeat_window form_ids_;
    std::int64_t last_msgid_ = 0;
};

} // namespace wxcourier::simulator
