// SPDX-License-Identifier: Apache-2.0
/// @file
/// A file with given contents that is gone when the test is.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

namespace wxcourier {

/// A file of its own in the system's temporary folder.
class temporary_file {
public:
    explicit temporary_file(std::string_view contents)
    {
        std::string name = (std::filesystem::temp_directory_path() / "wxcourier-XXXXXX").string();
        ::close(::mkstemp(name.data()));
        path_ = name;
        write(contents);
    }
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file() { std::filesystem::remove(path_); }

    void write(std::string_view contents) const { std::ofstream{path_, std::ios::binary} << contents; }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

} // namespace wxcourier
