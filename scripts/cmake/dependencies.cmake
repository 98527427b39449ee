# Every dependency is named with its reason in docs/dependencies.md.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka>=2.0.2)
find_path(RAPIDJSON_INCLUDE_DIR rapidjson/reader.h REQUIRED)

add_library(wxcourier_rapidjson INTERFACE)
add_library(wxcourier::rapidjson ALIAS wxcourier_rapidjson)
target_include_directories(wxcourier_rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE_DIR})

# Asio and Beast are compiled once, in common/boost_asio.cpp; everything else sees declarations only.
add_library(wxcourier_boost INTERFACE)
add_library(wxcourier::boost ALIAS wxcourier_boost)
target_compile_definitions(wxcourier_boost INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(wxcourier_boost INTERFACE Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

if(WXCOURIER_TESTS)
  find_package(GTest REQUIRED)
endif()
if(WXCOURIER_BENCH)
  find_package(benchmark REQUIRED)
endif()
