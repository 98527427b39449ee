// SPDX-License-Identifier: Apache-2.0
/// @file
/// The one way RapidJSON is included: an assertion that fails throws instead of being compiled away, because what is
/// parsed here comes from outside (with NDEBUG, RapidJSON's own assertions leave undefined behaviour).
///
/// Never used with it, all found in 1.1.0 as Debian ships it: `kParseFullPrecisionFlag` (a 47-character number
/// crashes), `RAPIDJSON_SSE2` (lets control characters 0x1A–0x1F pass inside strings and reads behind the text's end),
/// recursive parsing or writing of foreign input (100,000 brackets exhaust the stack).
#pragma once

#include <stdexcept>

namespace wxcourier::codec {

/// RapidJSON was used against its rules; never the fault of an input.
class json_misuse : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

} // namespace wxcourier::codec

#ifdef RAPIDJSON_RAPIDJSON_H_
#error "include codec/rapidjson.hpp before any header of RapidJSON"
#endif
#define RAPIDJSON_ASSERT(condition)                                                                                    \
    (static_cast<bool>(condition) ? static_cast<void>(0) : throw ::wxcourier::codec::json_misuse(#condition))
#define RAPIDJSON_HAS_STDSTRING 1

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
