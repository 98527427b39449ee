// SPDX-License-Identifier: Apache-2.0
/// @file
/// The calls the simulator answers: one row each. Kept apart from domain/kinds on purpose: the far end of a test must
/// not repeat the near end's mistakes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace wxcourier::simulator {

/// What a call does.
enum class operation : std::uint8_t {
    classic_token,
    stable_token,
    clear_quota,
    clear_quota_by_secret,
    clear_one_quota,
    query_quota,
    callback_addresses,
    official_templates,
    subscription_templates,
    send,
};

/// What the body of a send must look like.
enum class message_shape : std::uint8_t {
    none,
    official_template,
    subscribe_once,
    subscription_notice,
    subscription_message,
    form_template,
    uniform,
    custom,
};

struct endpoint {
    std::string_view path;
    operation what;
    message_shape shape;
    bool post;                  ///< Else GET.
    bool official_account;      ///< Open to official accounts,
    bool mini_program;          ///< to mini programs.
    bool has_msgid;             ///< A success carries a `msgid`.
    int retired_errcode;        ///< What WeChat answers today; 0: the call is alive.
    std::uint64_t minute_quota; ///< Published; 0: none. Those of the sends are for settings to choose.
    std::uint64_t day_quota;
};

/// All of them.
std::span<const endpoint> all_endpoints() noexcept;

/// The row of a path without its query; null: there is no such call.
const endpoint* find_endpoint(std::string_view path) noexcept;

/// The row's place among all_endpoints().
std::size_t index_of(const endpoint& row) noexcept;

} // namespace wxcourier::simulator
