# Warnings, hardening and sanitizers, as one interface target every module links.
add_library(wxcourier_compiler_options INTERFACE)
add_library(wxcourier::compiler_options ALIAS wxcourier_compiler_options)

target_compile_options(wxcourier_compiler_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wformat=2 -Wimplicit-fallthrough -Wnon-virtual-dtor -Woverloaded-virtual
  -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fno-delete-null-pointer-checks
  -fno-strict-overflow -fno-strict-aliasing -ftrivial-auto-var-init=zero
  # Reproducible paths in what is shipped. Not in debug builds: the argument would keep ccache from serving two checkouts.
  $<$<CONFIG:RelWithDebInfo>:-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(wxcourier_compiler_options INTERFACE -Wtrampolines -Wbidi-chars=any
    # GCC 12 reports false positives inside inlined standard library code at -O2 (GCC PR 105329, 105651), and where it
    # inlines only one of a coroutine frame's operators new and delete (GCC PR 109224).
    -Wno-mismatched-new-delete -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Boost 1.81 and GoogleTest headers, as Clang 16 sees them.
  target_compile_options(wxcourier_compiler_options INTERFACE -Wno-unused-command-line-argument)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_link_options(wxcourier_compiler_options INTERFACE
  -pie -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)

# -O0 -g1: the shortest compile that still gives line numbers in a backtrace.
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

if(WXCOURIER_SANITIZE)
  list(JOIN WXCOURIER_SANITIZE "," _sanitizers)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # What the sanitizers leave of fmt's inlined argument stores looks uninitialized to GCC 12 (GCC PR 105562).
    target_compile_options(wxcourier_compiler_options INTERFACE -Wno-uninitialized)
  endif()
  if("thread" IN_LIST WXCOURIER_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio's fences, which ThreadSanitizer does not see; what they order is under mutexes as well.
    target_compile_options(wxcourier_compiler_options INTERFACE -Wno-tsan)
  endif()
  target_compile_options(wxcourier_compiler_options INTERFACE -fsanitize=${_sanitizers} -fno-omit-frame-pointer -O1)
  target_link_options(wxcourier_compiler_options INTERFACE -fsanitize=${_sanitizers})
else()
  target_compile_options(wxcourier_compiler_options INTERFACE
    $<$<CONFIG:RelWithDebInfo>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
  target_compile_definitions(wxcourier_compiler_options INTERFACE _GLIBCXX_ASSERTIONS)
endif()

# ccache, where there is one. The sloppiness is what its manual asks for with precompiled headers.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${CCACHE_PROGRAM})
  add_compile_options(-fpch-preprocess)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-Xclang -fno-pch-timestamp)
  endif()
endif()

# A seventh of the time of GNU ld for what is linked again and again. GCC looks for a program of exactly this name.
find_program(LLD_PROGRAM NAMES ld.lld ld.lld-16)
if(LLD_PROGRAM AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/linker)
  file(CREATE_LINK ${LLD_PROGRAM} ${CMAKE_BINARY_DIR}/linker/ld.lld SYMBOLIC)
  add_link_options(-fuse-ld=lld -B${CMAKE_BINARY_DIR}/linker)
endif()
