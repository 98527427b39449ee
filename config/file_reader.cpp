// SPDX-License-Identifier: Apache-2.0
#include "config/file_reader.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wxcourier::config {

namespace {

/// An open file, closed when it goes.
class descriptor {
public:
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor()
    {
        if (number_ >= 0)
            ::close(number_);
    }
    [[nodiscard]] int get() const noexcept { return number_; }

private:
    int number_;
};

file_reading failed(int error)
{
    return {{}, "cannot be read: " + std::generic_category().message(error)};
}

} // namespace

file_reading read_file(const std::string& path, std::size_t limit, file_kind accepted)
{
    // Opening a pipe nobody writes to blocks; O_NONBLOCK does not matter to a regular file.
    const int flags = O_RDONLY | O_CLOEXEC | (accepted == file_kind::regular ? O_NONBLOCK : 0);
    const descriptor file{::open(path.c_str(), flags)}; // NOLINT(cppcoreguidelines-pro-type-vararg)
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0)
        return failed(errno);
    if (accepted == file_kind::regular && !S_ISREG(status.st_mode))
        return {{}, "is not a regular file"};
    file_reading result;
    std::array<char, 16384> buffer{};
    for (;;) {
        const auto count = ::read(file.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failed(errno);
        if (count == 0)
            return result;
        result.text.append(buffer.data(), static_cast<std::size_t>(count));
        if (result.text.size() > limit)
            return {{}, "is larger than " + std::to_string(limit / 1024) + " KiB"};
    }
}

} // namespace wxcourier::config
