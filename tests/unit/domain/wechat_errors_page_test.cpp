// SPDX-License-Identifier: Apache-2.0
// docs/wechat-errors.md is made from the tables of domain/classify.cpp. This test holds the committed page to them;
// `WXCOURIER_WRITE_DOCS=1 build/dev/unit_domain_classify --gtest_filter=wechat_errors_page.*` writes it anew.
#include "domain/classify.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace wxcourier::domain {
namespace {

const char* const page_path = WXCOURIER_SOURCE_DIR "/docs/wechat-errors.md";

/// A reason as the table shows it.
std::string in_code(std::string_view reason)
{
    return reason.empty() ? "" : "`" + std::string{reason} + "`";
}

template <typename Row>
std::string row_of(const std::string& key, const Row& row)
{
    return "| " + key + " | " + std::string{to_string(row.step)} + " | " + in_code(row.reason) + " | " +
           std::string{row.meaning} + " |\n";
}

std::string render()
{
    std::string page =
        R"(<!-- Made from worker/domain/classify.cpp by tests/unit/domain/wechat_errors_page_test.cpp. -->
# WeChat's answers and what follows them

An answer decides about its own message only; nothing about other messages of the template or the app is inferred from
it. An error of ours or of WeChat's (credentials, quota, network, overload) never ends a job by itself.

| step | what happens |
| --- | --- |
| accept | the message is `sent` |
| retry | again, after a backoff with jitter |
| retry_unknown | the message may have been accepted: again where a `client_msg_id` makes a repeat harmless, else as `delivery.on_unknown` says |
| renew_token | the access token is renewed once for all waiting messages, then again |
| park_minute | the app's messages of this call wait for the next minute |
| park_day | the app's messages of this call wait for the next day in UTC+8 |
| park_recipient | this recipient of the app waits, others go on |
| fail | final: `failed` with the reason, and a dead letter |
| halt_app | the app stops until a person has acted; its jobs wait |

## Answers to a send

After an attempt whose outcome is unknown, 40241, 41029, 43101 and 45047 may mean that it had arrived: `failed` with
`outcome_unknown`. A code that is not listed: `failed` with `unknown_error`.

| errcode | step | reason | meaning |
| ---: | --- | --- | --- |
)";
    for (const auto& row : send_rules())
        page += row_of(std::to_string(row.errcode), row);
    page += R"(
## No answer of WeChat's

| HTTP status | step | reason | meaning |
| ---: | --- | --- | --- |
)";
    for (const auto& row : http_rules()) {
        const auto first = std::to_string(row.first);
        page += row_of(row.first == row.last ? first : first + "–" + std::to_string(row.last), row);
    }
    page += R"(| none: nothing was written (DNS, connect, TLS) | retry |  | WeChat cannot have the message |
| none: the request was written, wholly or in part | retry_unknown | `outcome_unknown` | the message may have been accepted |

## Answers to a token call

`halt`: the app stops with the reason and the call is repeated slowly. No answer, or a code that is not listed: `retry`.

| errcode | step | reason | meaning |
| ---: | --- | --- | --- |
)";
    for (const auto& row : token_rules())
        page += row_of(std::to_string(row.errcode), row);
    return page;
}

TEST(wechat_errors_page, says_what_the_tables_say)
{
    if (std::getenv("WXCOURIER_WRITE_DOCS") != nullptr)
        std::ofstream{page_path} << render();
    std::ostringstream committed;
    committed << std::ifstream{page_path}.rdbuf();
    EXPECT_EQ(committed.str(), render()) << "write it anew with WXCOURIER_WRITE_DOCS=1";
}

} // namespace
} // namespace wxcourier::domain
