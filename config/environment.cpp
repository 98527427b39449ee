// SPDX-License-Identifier: Apache-2.0
#include "config/environment.hpp"

#include "config/utf8.hpp"

#include <cstdlib>
#include <utility>

namespace wxcourier::config {

namespace {

bool is_letter_or_underscore(char each)
{
    return (each >= 'A' && each <= 'Z') || (each >= 'a' && each <= 'z') || each == '_';
}

/// The value of the variable that `rest` begins with: `NAME}…`. Empty: a finding was made.
std::optional<std::string> variable_at(std::string_view rest, place at, findings& found)
{
    const std::string name{rest.substr(0, rest.find('}'))};
    if (name.size() == rest.size() || !is_environment_name(name)) {
        found.error(at, "a ${ without a variable's name and }, expected ${NAME}, or $${ for the text ${");
        return std::nullopt;
    }
    auto value = read_environment(name);
    if (!value)
        found.error(at, "the environment variable " + name + " is not set, expected a value for ${" + name + "}");
    else if (find_invalid_utf8(*value))
        found.error(at, "the environment variable " + name + " is not UTF-8, expected UTF-8 text");
    else
        return value;
    return std::nullopt;
}

/// Replaces what one scalar refers to. False: a finding was made.
bool substitute(yaml_node& scalar, findings& found)
{
    std::string out;
    std::string_view rest = scalar.written;
    for (auto dollar = rest.find("${"); dollar != std::string_view::npos; dollar = rest.find("${")) {
        const bool escaped = dollar > 0 && rest[dollar - 1] == '$';
        out += rest.substr(0, escaped ? dollar - 1 : dollar);
        rest.remove_prefix(dollar + 2);
        if (escaped) {
            out += "${";
            continue;
        }
        const auto value = variable_at(rest, scalar.at, found);
        if (!value)
            return false;
        out += *value;
        rest.remove_prefix(rest.find('}') + 1);
        scalar.quoted = false; // "${PORT}" may be a number: inside [ ] and { } the quotes are YAML's wish.
    }
    scalar.text = out.append(rest);
    return true;
}

} // namespace

bool is_environment_name(std::string_view name)
{
    if (name.empty() || !is_letter_or_underscore(name.front()))
        return false;
    for (const char each : name)
        if (!is_letter_or_underscore(each) && !(each >= '0' && each <= '9'))
            return false;
    return true;
}

std::optional<std::string> read_environment(const std::string& name)
{
    if (const char* value = std::getenv(name.c_str()))
        return value;
    return std::nullopt;
}

void substitute_environment(yaml_node& node, findings& found)
{
    if (node.is == yaml_node::kind::scalar && !substitute(node, found))
        node.is = yaml_node::kind::refused;
    for (auto& item : node.items)
        substitute_environment(item, found);
}

} // namespace wxcourier::config
