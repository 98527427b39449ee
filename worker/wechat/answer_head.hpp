// SPDX-License-Identifier: Apache-2.0
/// @file
/// The head of an answer as WeChat's servers write it, read in one pass: a sixth of what Beast's parser takes, which
/// reads all others.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace wxcourier::wechat {

struct answer_head {
    int status = 0;
    std::size_t size = 0;        ///< Bytes up to the body.
    std::size_t body_length = 0; ///< As announced.
};

/// Reads a whole head that says nothing but a final status, one Content-Length and what makes no difference; the
/// connection stays open after it. Empty: it is not all there, or anything else; then `response_reader` judges. What
/// is read here, that one would read alike.
std::optional<answer_head> read_usual_head(std::string_view received) noexcept;

} // namespace wxcourier::wechat
