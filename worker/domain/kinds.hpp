// SPDX-License-Identifier: Apache-2.0
/// @file
/// The kinds of message a job may ask for: one row each. A new kind is one new row in kinds.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace wxcourier::domain {

/// What an app is to WeChat; each kind belongs to one of the two.
enum class app_type : std::uint8_t { official_account, mini_program };

/// JSON type a member of a message must have.
enum class member_type : std::uint8_t { string, object, array, any };

/// One member of a message's body that is checked before anything is sent. Members without a rule pass as they are.
struct member_rule {
    std::string_view pointer; ///< JSON pointer below `message`, such as `/miniprogram/appid`.
    member_type type;
    bool required; ///< Missing, null, or an empty string: the job is rejected. Below an optional object it
                   ///< counts only where that object is present.
    std::size_t max_characters = 0; ///< Unicode code points, at most; 0: no limit of ours.
};

/// How WeChat nests the values of `data` in this kind.
enum class data_shape : std::uint8_t {
    none,   ///< The body has no `data`.
    values, ///< `{"field": {"value": …}, …}`
};

struct kind_rule {
    std::string_view name; ///< As jobs say it: `official.template`.
    std::string_view path; ///< Below the base URL, without the query.
    app_type type;
    bool takes_client_msg_id; ///< WeChat drops a repeat with the same `client_msg_id` for 10 minutes.
    bool retired;             ///< WeChat answers 45103 or 45109 today.
    data_shape data;
    bool has_msgtype; ///< Custom messages: `msgtype` names the member that must be there.
    std::span<const member_rule> members;
};

/// The rule of a kind by its name; null: no such kind. The pointer is valid for the whole program.
const kind_rule* find_kind(std::string_view name) noexcept;

/// All kinds, in the order of docs/reference.md.
std::span<const kind_rule> all_kinds() noexcept;

} // namespace wxcourier::domain
