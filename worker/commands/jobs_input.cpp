// SPDX-License-Identifier: Apache-2.0
#include "commands/jobs_input.hpp"

#include <filesystem>
#include <iostream>
#include <system_error>

namespace wxcourier::commands {

jobs_input::jobs_input(const std::string& path) : name_(path == "-" ? "standard input" : path), from_input_(path == "-")
{
    if (from_input_)
        return;
    file_.open(path, std::ios::binary);
    good_ = file_.is_open();
    if (!good_)
        std::cerr << path << ": cannot be read\n";
    std::error_code unknown_size;
    bytes_ = std::filesystem::file_size(path, unknown_size);
    if (unknown_size)
        bytes_ = 0;
}

std::istream& jobs_input::lines() noexcept
{
    return from_input_ ? std::cin : file_;
}

} // namespace wxcourier::commands
