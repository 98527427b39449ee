// SPDX-License-Identifier: Apache-2.0
// docs/reference.md is written by hand; its tables of kinds and reasons are held to the code.
#include "domain/kinds.hpp"
#include "domain/reasons.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace wxcourier::domain {
namespace {

std::string reference()
{
    std::ostringstream page;
    page << std::ifstream{WXCOURIER_SOURCE_DIR "/docs/reference.md"}.rdbuf();
    return page.str();
}

TEST(reference_page, lists_every_reason)
{
    std::string table = "| reason | state | means |\n| --- | --- | --- |\n";
    for (const auto& row : all_reasons())
        table += "| `" + std::string{row.word} + "` | " + std::string{to_string(row.state)} + " | " +
                 std::string{row.meaning} + " |\n";
    EXPECT_NE(reference().find(table + "\n"), std::string::npos) << table;
}

TEST(reference_page, lists_every_kind)
{
    std::string table = "| kind | WeChat call | app type | `client_msg_id` |\n| --- | --- | --- | --- |\n";
    for (const auto& kind : all_kinds())
        table += "| `" + std::string{kind.name} + "` | POST " + std::string{kind.path} + " | " +
                 (kind.type == app_type::official_account ? "official_account" : "mini_program") + " | " +
                 (kind.takes_client_msg_id ? "yes |\n" : "|\n");
    EXPECT_NE(reference().find(table + "\n"), std::string::npos) << table;
}

} // namespace
} // namespace wxcourier::domain
