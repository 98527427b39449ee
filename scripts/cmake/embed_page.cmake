# Writes the files of the dashboard's page into a source file, so that the program serves them with nothing beside it.
#   cmake -DPAGE=folder -DSOURCE=… -P embed_page.cmake
set(types
  "html=text/html\\; charset=utf-8" "css=text/css\\; charset=utf-8" "js=text/javascript\\; charset=utf-8"
  "svg=image/svg+xml")
file(GLOB files RELATIVE ${PAGE} ${PAGE}/*.html ${PAGE}/*.css ${PAGE}/*.js ${PAGE}/*.svg ${PAGE}/vendor/*.js
  ${PAGE}/vendor/*.css)
list(SORT files)
string(REPEAT "." 110 line) # 22 bytes of 5 characters
set(arrays "")
set(rows "")
set(count 0)
foreach(name IN LISTS files)
  file(READ ${PAGE}/${name} hex HEX)
  file(SHA256 ${PAGE}/${name} hash)
  string(SUBSTRING ${hash} 0 20 hash)
  string(LENGTH "${hex}" length)
  math(EXPR length "${length} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "^.*\\." "" extension ${name})
  foreach(pair IN LISTS types)
    if(pair MATCHES "^${extension}=(.*)$")
      set(type "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  set(path "/${name}")
  if(name STREQUAL "index.html")
    set(path "/")
  endif()
  string(APPEND arrays "constexpr unsigned char file_${count}[] = {\n${bytes}};\n")
  string(APPEND rows "    {\"${path}\", \"${type}\", \"\\\"${hash}\\\"\", text(file_${count}, ${length})},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(CONFIGURE OUTPUT ${SOURCE} @ONLY NEWLINE_STYLE UNIX CONTENT [[
// Generated from worker/dashboard/page.
#include "dashboard/page_file.hpp"

#include <array>
#include <cstddef>

namespace wxcourier::dashboard {
namespace {

@arrays@
std::string_view text(const unsigned char* bytes, std::size_t size)
{
    return {reinterpret_cast<const char*>(bytes), size};
}

} // namespace

std::span<const page_file> page_files() noexcept
{
    static const std::array<page_file, @count@> files{{
@rows@    }};
    return files;
}

} // namespace wxcourier::dashboard
]])
