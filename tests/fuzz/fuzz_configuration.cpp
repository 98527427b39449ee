// SPDX-License-Identifier: Apache-2.0
// Any bytes end in settings or in findings whose places are in the file; nothing escapes as an exception.
#include "config/load.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace wxcourier;

void require(bool holds)
{
    if (!holds)
        std::abort();
}

void require_place(const config::finding& found, std::string_view text)
{
    const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
    require(found.line >= 1 && found.line <= lines);
    require(found.column >= 1 && static_cast<std::size_t>(found.column) <= text.size() + 1);
    require(!found.what.empty() && found.what.find('\n') == std::string::npos);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto outcome = config::load_text(text, config::secrets::ignored);
    require(outcome.loaded.has_value() == outcome.errors.empty());
    for (const auto& found : outcome.errors)
        require_place(found, text);
    for (const auto& found : outcome.warnings)
        require_place(found, text);
    return 0;
}
