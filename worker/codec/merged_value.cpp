// SPDX-License-Identifier: Apache-2.0
#include "codec/merged_value.hpp"

#include <utility>

namespace wxcourier::codec {

merged_value::merged_value(json_value target, json_value patch)
{
    if (!patch)
        target_ = target;
    else if (patch.type() != json_type::object)
        target_ = patch;
    else {
        patch_ = patch;
        if (target.is(json_type::object))
            target_ = target;
    }
}

merged_value merged_value::find(std::string_view name) const
{
    const auto change = patch_ ? patch_.find(name) : json_value{};
    if (change.is(json_type::null))
        return {};
    return {target_ ? target_.find(name) : json_value{}, change};
}

void merged_value::append_to(std::string& out) const
{
    // Recursion ends at json_document::deepest.
    if (!patch_) {
        append_json(out, target_);
        return;
    }
    out.push_back('{');
    bool first = true;
    for_each_member([&](std::string_view key, merged_value member) {
        if (!std::exchange(first, false))
            out.push_back(',');
        append_json_string(out, key);
        out.push_back(':');
        member.append_to(out);
    });
    out.push_back('}');
}

} // namespace wxcourier::codec
