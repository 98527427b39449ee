# The program: main.cpp picks the command, commands/ holds one file each.
wxcourier_module(commands
  SOURCES
    commands/check_config.cpp
    commands/ctl.cpp
    commands/dashboard.cpp
    commands/demo.cpp
    commands/enqueue.cpp
    commands/jobs_input.cpp
    commands/loaded_settings.cpp
    commands/plan.cpp
    commands/plan_report.cpp
    commands/progress_bar.cpp
    commands/replay.cpp
    commands/run.cpp
    commands/run_to_end.cpp
    commands/simulator.cpp
    commands/status_line.cpp
    commands/tail.cpp
    commands/token.cpp
    commands/version.cpp
  DEPENDS wxcourier::app wxcourier::simulator
  PRIVATE_DEPENDS CLI11::CLI11 Boost::headers OpenSSL::Crypto)

# The demo's jobs travel inside the program.
set(article_jobs ${CMAKE_BINARY_DIR}/generated/commands/article_jobs.hpp)
add_custom_command(OUTPUT ${article_jobs}
  COMMAND ${CMAKE_COMMAND} -DJOBS=${CMAKE_SOURCE_DIR}/config/examples/article.ndjson -DHEADER=${article_jobs}
          -P ${CMAKE_SOURCE_DIR}/scripts/cmake/embed_jobs.cmake
  DEPENDS ${CMAKE_SOURCE_DIR}/config/examples/article.ndjson ${CMAKE_SOURCE_DIR}/scripts/cmake/embed_jobs.cmake
  VERBATIM)
add_custom_target(generated_sources DEPENDS ${article_jobs})
target_sources(wxcourier_commands PRIVATE ${article_jobs})
target_include_directories(wxcourier_commands PRIVATE ${CMAKE_BINARY_DIR}/generated)

add_executable(wxcourier main.cpp)
target_link_libraries(wxcourier PRIVATE wxcourier::commands CLI11::CLI11 wxcourier::compiler_options)
