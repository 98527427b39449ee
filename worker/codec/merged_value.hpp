// SPDX-License-Identifier: Apache-2.0
/// @file
/// `message` and one recipient's object as RFC 7396 merges them, read and written without making the merged tree: a
/// job with 10,000 recipients would otherwise cost 10,000 copies of its message.
#pragma once

#include "codec/json_document.hpp"

#include <string>
#include <string_view>

namespace wxcourier::codec {

/// A value after a merge patch, or none (as `find` says). Cheap to copy; valid while its documents are.
class merged_value {
public:
    merged_value() = default;
    /// A value without a patch.
    explicit merged_value(json_value plain) : target_(plain) {}
    /// What RFC 7396 makes of `target` (may be none) and `patch` (may be none: no patch).
    merged_value(json_value target, json_value patch);

    /// There is a value. Everything else but `find` may only be asked of one that exists.
    explicit operator bool() const noexcept { return target_ || patch_; }
    [[nodiscard]] json_type type() const noexcept { return patch_ ? json_type::object : target_.type(); }
    [[nodiscard]] bool is(json_type wanted) const noexcept { return *this && type() == wanted; }
    /// See `json_value::text`.
    [[nodiscard]] std::string_view text() const noexcept { return patch_ ? std::string_view{} : target_.text(); }
    /// Where the value was said: the patch's place, where it has one.
    [[nodiscard]] std::string pointer() const { return patch_ ? patch_.pointer() : target_.pointer(); }
    /// The member of that name; none for a value that is no object.
    [[nodiscard]] merged_value find(std::string_view name) const;

    /// Calls `visit(std::string_view key, merged_value)` for each member: the target's in their order, then what the
    /// patch adds.
    template <typename Visit>
    void for_each_member(Visit&& visit) const;

    /// Appends it as JSON; see `append_json`.
    void append_to(std::string& out) const;

private:
    /// With a patch, which is an object then: an object or none. Without: the value itself.
    json_value target_;
    json_value patch_;
};

template <typename Visit>
void merged_value::for_each_member(Visit&& visit) const
{
    if (target_) {
        for (const auto member : target_.children()) {
            const auto change = patch_ ? patch_.find(member.key()) : json_value{};
            if (!change.is(json_type::null))
                visit(member.key(), merged_value{member, change});
        }
    }
    if (patch_) {
        for (const auto added : patch_.children()) {
            const bool known = target_ && target_.find(added.key());
            if (!known && added.type() != json_type::null)
                visit(added.key(), merged_value{json_value{}, added});
        }
    }
}

} // namespace wxcourier::codec
