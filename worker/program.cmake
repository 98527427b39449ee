# The program: main.cpp picks the command, commands/ holds one file each.
wxcourier_module(commands
  SOURCES
    commands/check_config.cpp
    commands/enqueue.cpp
    commands/loaded_settings.cpp
    commands/progress_bar.cpp
    commands/run.cpp
    commands/simulator.cpp
    commands/status_line.cpp
    commands/tail.cpp
    commands/version.cpp
  DEPENDS wxcourier::app wxcourier::simulator
  PRIVATE_DEPENDS CLI11::CLI11 Boost::headers OpenSSL::Crypto)

add_executable(wxcourier main.cpp)
target_link_libraries(wxcourier PRIVATE wxcourier::commands CLI11::CLI11 wxcourier::compiler_options)
