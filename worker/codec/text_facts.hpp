// SPDX-License-Identifier: Apache-2.0
/// @file
/// What is to be known about a text from outside before it becomes a Kafka key, a header or a line of a log.
#pragma once

#include <cstddef>
#include <string_view>

namespace wxcourier::codec {

struct text_facts {
    std::size_t characters = 0; ///< Unicode code points.
    bool well_formed = true;    ///< No half of a surrogate pair.
    /// Nothing that is invisible or reorders what stands around it: no control or format character, no line or
    /// paragraph separator. Spaces are printable.
    bool printable = true;
};

/// Looks at text that a `json_document` decoded; after a parse error that may hold halves of surrogate pairs.
text_facts examine(std::string_view text) noexcept;

} // namespace wxcourier::codec
