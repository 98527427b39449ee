// SPDX-License-Identifier: Apache-2.0
#include "dashboard/page_file.hpp"

#include <algorithm>

namespace wxcourier::dashboard {

const page_file* find_page_file(std::string_view path) noexcept
{
    const auto files = page_files();
    const auto found =
        std::find_if(files.begin(), files.end(), [path](const page_file& each) { return each.path == path; });
    return found == files.end() ? nullptr : &*found;
}

} // namespace wxcourier::dashboard
