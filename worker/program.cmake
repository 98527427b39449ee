# The program: main.cpp picks the command, commands/ holds one file each.
wxcourier_module(commands
  SOURCES
    commands/check_config.cpp
    commands/version.cpp
  DEPENDS wxcourier::config wxcourier::kafka
  PRIVATE_DEPENDS CLI11::CLI11 Boost::headers OpenSSL::Crypto)
target_compile_definitions(wxcourier_commands PRIVATE WXCOURIER_VERSION="${PROJECT_VERSION}")

add_executable(wxcourier main.cpp)
target_link_libraries(wxcourier PRIVATE wxcourier::commands CLI11::CLI11 wxcourier::compiler_options)
