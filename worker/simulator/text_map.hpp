// SPDX-License-Identifier: Apache-2.0
/// @file
/// A hash map by text that is searched without making a string first.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace wxcourier::simulator {

struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

template <class Value>
using text_map = std::unordered_map<std::string, Value, text_hash, std::equal_to<>>;

/// The value that stands with `key`; a new one if there is none.
template <class Value>
Value& value_of(text_map<Value>& map, std::string_view key)
{
    const auto found = map.find(key);
    return found != map.end() ? found->second : map.try_emplace(std::string(key)).first->second;
}

} // namespace wxcourier::simulator
