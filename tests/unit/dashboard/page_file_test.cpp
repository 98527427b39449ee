// SPDX-License-Identifier: Apache-2.0
#include "dashboard/page_file.hpp"

#include <gtest/gtest.h>

#include <string>

namespace wxcourier::dashboard {
namespace {

TEST(PageFiles, WhatTheDocumentNamesTravelsInTheProgram)
{
    const auto* document = find_page_file("/");
    ASSERT_NE(document, nullptr);
    EXPECT_EQ(document->content_type, "text/html; charset=utf-8");
    const std::string text(document->content);
    for (const std::string attribute : {"src=\"", "href=\""}) {
        for (auto at = text.find(attribute); at != std::string::npos; at = text.find(attribute, at + 1)) {
            const auto begin = at + attribute.size();
            const auto name = text.substr(begin, text.find('"', begin) - begin);
            if (name.starts_with('#'))
                continue;
            const auto* file = find_page_file(name);
            ASSERT_NE(file, nullptr) << name;
            EXPECT_FALSE(file->content.empty()) << name;
        }
    }
    EXPECT_EQ(find_page_file("/../page_file.hpp"), nullptr);
}

TEST(PageFiles, NothingIsFetchedFromElsewhereAndNothingIsMarkup)
{
    for (const auto& file : page_files()) {
        if (file.path.starts_with("/vendor/"))
            continue;
        EXPECT_EQ(file.content.find("https://"), std::string_view::npos) << file.path;
        EXPECT_EQ(file.content.find("innerHTML"), std::string_view::npos) << file.path;
        EXPECT_EQ(file.content.find(" style="), std::string_view::npos) << file.path << ": the policy forbids it";
    }
}

} // namespace
} // namespace wxcourier::dashboard
