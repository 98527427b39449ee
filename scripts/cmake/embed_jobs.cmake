# Writes config/examples/article.ndjson into a header, so that `wxcourier demo` needs no file beside the program.
#   cmake -DJOBS=… -DHEADER=… -P embed_jobs.cmake
file(STRINGS ${JOBS} lines ENCODING UTF-8)
set(rows "")
set(count 0)
foreach(line IN LISTS lines)
  string(JSON id GET "${line}" id)
  string(APPEND rows "    {R\"json(${id})json\", R\"json(${line})json\"},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(CONFIGURE OUTPUT ${HEADER} @ONLY NEWLINE_STYLE UNIX CONTENT [[
// Generated from config/examples/article.ndjson.
#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace wxcourier::commands {

/// The example jobs: id and JSON.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, @count@> article_jobs{{
@rows@}};

} // namespace wxcourier::commands
]])
