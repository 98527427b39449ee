// SPDX-License-Identifier: Apache-2.0
#include "codec/token_state_codec.hpp"

#include "codec/json_document.hpp"

#include <algorithm>

namespace wxcourier::codec {
namespace {

constexpr std::size_t longest_page = 4'000'000;

void append_text(std::string& out, std::string_view name, std::string_view value)
{
    if (value.empty())
        return; // many apps have nothing to say here
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
    out += ',';
}

void append_number(std::string& out, std::string_view name, std::int64_t value)
{
    append_json_string(out, name);
    out += ':' + std::to_string(value) + ',';
}

void append_state(std::string& out, const token_state& state)
{
    out += '{';
    append_text(out, "app", state.app);
    append_text(out, "source", state.source);
    append_text(out, "state", state.state);
    append_text(out, "reason", state.reason);
    append_text(out, "detail", state.detail);
    append_text(out, "owner", state.owner);
    append_number(out, "generation", static_cast<std::int64_t>(state.generation));
    append_number(out, "expires_in_s", state.expires_in.count());
    if (state.next_call_in)
        append_number(out, "next_call_in_s", state.next_call_in->count());
    out.back() = '}';
}

std::string text_of(json_value object, std::string_view name)
{
    const auto value = object.find(name);
    return value.is(json_type::string) ? std::string(value.text()) : std::string{};
}

std::optional<std::int64_t> number_of(json_value object, std::string_view name)
{
    const auto value = object.find(name);
    return value ? value.integer() : std::nullopt;
}

token_state state_of(json_value object)
{
    token_state state;
    state.app = text_of(object, "app");
    state.source = text_of(object, "source");
    state.state = text_of(object, "state");
    state.reason = text_of(object, "reason");
    state.detail = text_of(object, "detail");
    state.owner = text_of(object, "owner");
    state.generation =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_of(object, "generation").value_or(0)));
    state.expires_in = seconds{number_of(object, "expires_in_s").value_or(0)};
    if (const auto next = number_of(object, "next_call_in_s"))
        state.next_call_in = seconds{*next};
    return state;
}

} // namespace

std::string encode_token_states(const token_states& states)
{
    std::string out = "{\"version\":1,";
    append_text(out, "worker", states.worker);
    out += "\"apps\":[";
    for (const auto& each : states.apps) {
        append_state(out, each);
        out += ',';
    }
    if (states.apps.empty())
        out += ']';
    else
        out.back() = ']';
    return out += "}\n";
}

std::optional<token_states> decode_token_states(std::string_view text)
{
    json_document document;
    if (document.parse(text, longest_page) || !document.root().is(json_type::object))
        return std::nullopt;
    const auto apps = document.root().find("apps");
    if (!apps.is(json_type::array))
        return std::nullopt;
    token_states states;
    states.worker = text_of(document.root(), "worker");
    for (const auto each : apps.children())
        if (each.is(json_type::object))
            states.apps.push_back(state_of(each));
    return states;
}

} // namespace wxcourier::codec
