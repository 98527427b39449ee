// SPDX-License-Identifier: Apache-2.0
/// @file
/// What WeChat checks in the body of a send before it takes it, call by call.
#pragma once

#include "simulator/endpoints.hpp"
#include "simulator/error_texts.hpp"
#include "simulator/json_reading.hpp"
#include "simulator/settings.hpp"

#include <optional>
#include <span>

namespace wxcourier::simulator {

/// The first thing wrong with this message; empty: nothing. `templates` empty: every template_id exists.
std::optional<refusal> check_message(message_shape shape, json_value body,
                                     std::span<const declared_template> templates);

} // namespace wxcourier::simulator
