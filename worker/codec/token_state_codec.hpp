// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a worker tells about its apps' tokens (`GET /tokens`, `wxcourier token`). A token itself has no place in it.
#pragma once

#include "common/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::codec {

struct token_state {
    std::string app;
    std::string source;           ///< `stable`, `classic` or `shared`.
    std::string state;            ///< `good`, `missing`, `renewing` or `halted`.
    std::string reason;           ///< Why it is not good, or why no newer one came; empty: all is well.
    std::string detail;           ///< In WeChat's words, where it said something.
    std::string owner;            ///< The replica that asks for the app's tokens; empty: nobody does at present.
    std::uint64_t generation = 0; ///< Which token of this process it is; 0: none yet.
    seconds expires_in{0};
    std::optional<seconds> next_call_in; ///< Empty: this process does not ask.
};

struct token_states {
    std::string worker; ///< Who tells.
    std::vector<token_state> apps;
};

/// `{"version":1,"worker":…,"apps":[…]}`, empty texts left out, and a line end.
std::string encode_token_states(const token_states& states);

/// Empty: that is none.
std::optional<token_states> decode_token_states(std::string_view text);

} // namespace wxcourier::codec
