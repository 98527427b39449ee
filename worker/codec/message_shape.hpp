// SPDX-License-Identifier: Apache-2.0
/// @file
/// Holds a message against the rule of its kind, so that a body WeChat would refuse for its shape costs no request.
#pragma once

#include "codec/json_document.hpp"
#include "codec/merged_value.hpp"
#include "domain/kinds.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::codec {

/// What is wrong with a message, with the JSON pointer; empty: nothing. `touser` is not looked at: where it stands
/// depends on the job.
std::optional<std::string> find_shape_fault(const domain::kind_rule& kind, json_value message);

/// The same for a message that recipients' objects are merged into. What they leave as it is, is judged once, so that
/// many recipients of a large message cost what they change.
class merged_shape {
public:
    merged_shape(const domain::kind_rule& kind, json_value message);

    /// What is wrong with the message merged with a recipient's object; empty: nothing.
    [[nodiscard]] std::optional<std::string> find_fault(json_value recipient) const;

private:
    [[nodiscard]] std::optional<std::string> find_field_fault(json_value recipient) const;

    const domain::kind_rule& kind_;
    json_value message_;
    json_value data_;                                       ///< Of the message; may be none.
    std::vector<std::optional<std::string>> member_faults_; ///< Of the message alone, by rule.
    std::vector<json_value> bad_fields_;                    ///< Of the message's `data` alone.
};

} // namespace wxcourier::codec
