// SPDX-License-Identifier: Apache-2.0
/// @file
/// The page's files, which travel inside the program (scripts/cmake/embed_page.cmake writes them into it).
#pragma once

#include <span>
#include <string_view>

namespace wxcourier::dashboard {

struct page_file {
    std::string_view path; ///< `/` for index.html, otherwise `/app.js`, `/vendor/uplot.js`, …
    std::string_view content_type;
    std::string_view etag; ///< With its quotes; of the content.
    std::string_view content;
};

/// All of them.
std::span<const page_file> page_files() noexcept;

/// The file of a path; null: there is none.
const page_file* find_page_file(std::string_view path) noexcept;

} // namespace wxcourier::dashboard
