// SPDX-License-Identifier: Apache-2.0
#include "config/secret_reader.hpp"

#include "config/environment.hpp"
#include "config/file_reader.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::config {

namespace {

secret_reading checked(std::string text)
{
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
        text.pop_back();
    secret held{std::move(text)};
    if (held.empty())
        return {std::nullopt, "is empty"};
    if (held.reveal().find('\0') != std::string_view::npos)
        return {std::nullopt, "holds a NUL byte"};
    return {std::move(held), {}};
}

} // namespace

std::string flaw_of_word(const secret& text)
{
    constexpr std::size_t longest = 512;
    const auto revealed = text.reveal();
    if (revealed.empty())
        return "is empty";
    if (revealed.size() > longest)
        return "is longer than 512 characters";
    if (std::any_of(revealed.begin(), revealed.end(), [](char each) { return each <= ' ' || each > '~'; }))
        return "holds a blank, a line end or a character that is not ASCII";
    return {};
}

std::string describe(const secret_source& source)
{
    switch (source.from) {
    case secret_source::kind::environment:
        return "the environment variable " + source.name;
    case secret_source::kind::file:
        return "the file " + source.name;
    case secret_source::kind::none:
    case secret_source::kind::value:
        break;
    }
    return "the configuration";
}

secret_reading read_secret(const secret_source& source)
{
    switch (source.from) {
    case secret_source::kind::environment: {
        auto value = read_environment(source.name);
        return value ? checked(std::move(*value)) : secret_reading{std::nullopt, "is not set"};
    }
    case secret_source::kind::file: {
        auto read = read_file(source.name, max_secret_bytes, file_kind::regular);
        return read.failure.empty() ? checked(std::move(read.text)) : secret_reading{std::nullopt, read.failure};
    }
    case secret_source::kind::none:
    case secret_source::kind::value:
        break;
    }
    return {std::nullopt, "is not read again"};
}

} // namespace wxcourier::config
