// SPDX-License-Identifier: Apache-2.0
/// @file
/// The jobs that a command is given: a file, or standard input.
#pragma once

#include <cstdint>
#include <fstream>
#include <istream>
#include <string>

namespace wxcourier::commands {

class jobs_input {
public:
    /// Opens it. @param path  `-`: standard input.
    explicit jobs_input(const std::string& path);

    /// False: it cannot be read, which has been said on standard error.
    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] std::istream& lines() noexcept;
    /// What it is called in messages.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// 0: not known, as of standard input and of pipes.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
    std::string name_;
    bool from_input_;
    bool good_ = true;
    std::uint64_t bytes_ = 0;
    std::ifstream file_;
};

} // namespace wxcourier::commands
