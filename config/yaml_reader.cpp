// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_reader.hpp"

#include "config/durations.hpp"
#include "config/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace wxcourier::config {

namespace {

using kind = yaml_node::kind;

constexpr std::string_view expected_duration = ", expected a whole number with ms, s, m, h or d, such as 10s";

std::string joined(const std::string& path, std::string_view key)
{
    return path.empty() ? std::string{key} : path + '.' + std::string{key};
}

bool is_whole_number(std::string_view text)
{
    if (text.starts_with('-'))
        text.remove_prefix(1);
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_decimal(std::string_view text)
{
    const auto point = text.find('.');
    if (point == std::string_view::npos)
        return is_whole_number(text);
    const auto fraction = text.substr(point + 1);
    return is_whole_number(text.substr(0, point)) && !fraction.starts_with('-') && is_whole_number(fraction);
}

/// YAML 1.1 readers take 010 for 8, 1.2 readers for 10: neither is asked.
bool has_leading_zero(std::string_view text)
{
    if (text.starts_with('-'))
        text.remove_prefix(1);
    return text.size() > 1 && text[0] == '0' && text[1] != '.';
}

std::string format_number(double number)
{
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed);
    return {buffer.data(), end.ptr};
}

std::string range(const std::string& low, const std::string& high)
{
    return ", expected " + low + " to " + high;
}

} // namespace

void setting::error(std::string_view what) const
{
    context_->found.error(at_, (path_.empty() ? "the file" : path_) + ' ' + std::string{what});
}

void setting::warning(std::string_view what) const
{
    context_->found.warning(at_, path_ + ' ' + std::string{what});
}

std::string setting::written() const
{
    return is(kind::scalar) ? node_->written : std::string{};
}

std::string setting::shown() const
{
    return in_quotes(written());
}

const yaml_node* setting::scalar(std::string_view expected) const
{
    if (!given() || is(kind::refused))
        return nullptr;
    if (is(kind::scalar))
        return node_;
    const std::string what = is(kind::null) ? "has no value" : is(kind::mapping) ? "is a mapping" : "is a list";
    error(what + ", expected " + std::string{expected});
    return nullptr;
}

std::optional<std::string> setting::raw_text(std::string_view expected) const
{
    const auto* node = scalar(expected);
    return node != nullptr ? std::optional{node->text} : std::nullopt;
}

std::optional<std::string> setting::text(std::string_view expected) const
{
    const auto* node = scalar(expected);
    if (node == nullptr)
        return std::nullopt;
    if (node->text.empty())
        error("is empty, expected " + std::string{expected});
    else if (std::any_of(node->text.begin(), node->text.end(), is_control))
        error("holds a control character, expected " + std::string{expected});
    else
        return node->text;
    return std::nullopt;
}

void setting::read(std::string& into, std::string_view expected) const
{
    if (auto found = text(expected))
        into = std::move(*found);
}

void setting::read(bool& into, std::string_view expected) const
{
    const auto* node = scalar(expected);
    if (node == nullptr)
        return;
    if (!node->quoted && (node->text == "true" || node->text == "false"))
        into = node->text == "true";
    else
        error("is " + shown() + ", expected " + std::string{expected} + (node->quoted ? " without quotes" : ""));
}

void setting::read(int& into, int low, int high) const
{
    const auto* node = scalar("a whole number");
    if (node == nullptr)
        return;
    if (node->quoted || !is_whole_number(node->text)) {
        error("is " + shown() + ", expected a whole number" + (node->quoted ? " without quotes" : ""));
    } else if (has_leading_zero(node->text)) {
        error("is " + shown() + ", expected a whole number without leading zeros");
    } else {
        int value = 0;
        const auto& text = node->text;
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
        if (parsed.ec != std::errc{} || value < low || value > high)
            error("is " + shown() + range(std::to_string(low), std::to_string(high)));
        else
            into = value;
    }
}

void setting::read(double& into, double low, double high) const
{
    const auto* node = scalar("a number");
    if (node == nullptr)
        return;
    if (node->quoted || !is_decimal(node->text)) {
        error("is " + shown() + ", expected a number" + (node->quoted ? " without quotes" : ""));
    } else if (has_leading_zero(node->text)) {
        error("is " + shown() + ", expected a number without leading zeros");
    } else {
        double value = 0;
        const auto& text = node->text;
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
        if (parsed.ec != std::errc{} || value < low || value > high)
            error("is " + shown() + range(format_number(low), format_number(high)));
        else
            into = value;
    }
}

void setting::read(milliseconds& into, milliseconds low, milliseconds high) const
{
    const auto* node = scalar("a duration such as 10s");
    if (node == nullptr)
        return;
    const auto parsed = parse_duration(node->text);
    if (const auto* problem = std::get_if<duration_problem>(&parsed)) {
        if (*problem == duration_problem::too_long)
            error("is " + shown() + range(format_duration(low), format_duration(high)));
        else
            error("is " + shown() + (*problem == duration_problem::no_unit ? " without a unit" : "") +
                  std::string{expected_duration});
        return;
    }
    const auto value = std::get<milliseconds>(parsed);
    if (value < low || value > high)
        error("is " + shown() + range(format_duration(low), format_duration(high)));
    else
        into = value;
}

void setting::read(std::optional<milliseconds>& into, milliseconds low, milliseconds high) const
{
    if (is(kind::null)) {
        into.reset();
        return;
    }
    milliseconds value = low - milliseconds{1}; // outside the range: tells whether it was read
    read(value, low, high);
    if (value >= low)
        into = value;
}

std::optional<std::size_t> setting::choose_word(const std::vector<std::string_view>& words) const
{
    const auto* node = scalar(alternatives(words));
    if (node == nullptr)
        return std::nullopt;
    const auto found = std::find(words.begin(), words.end(), node->text);
    if (found != words.end())
        return static_cast<std::size_t>(found - words.begin());
    error("is " + shown() + ", expected " + alternatives(words));
    return std::nullopt;
}

std::vector<setting> setting::items(std::string_view expected) const
{
    std::vector<setting> all;
    if (!given() || is(kind::refused))
        return all;
    if (!is(kind::sequence)) {
        const std::string what = is(kind::null) ? "has no value" : is(kind::mapping) ? "is a mapping" : "is " + shown();
        error(what + ", expected " + std::string{expected});
        return all;
    }
    for (const auto& item : node_->items)
        all.push_back(
            setting{context_, &item, item.at, path_ + '[' + std::to_string(all.size()) + ']', pattern_ + "[]"});
    return all;
}

bool mapping::acceptable(const setting& from)
{
    if (from.is(kind::refused))
        return false;
    if (from.is(kind::scalar))
        from.error("is " + from.shown() + ", expected a mapping");
    else if (from.is(kind::sequence))
        from.error("is a list, expected a mapping");
    else
        return true;
    return false;
}

const yaml_node* mapping::find(std::string_view key) const
{
    if (!self_.is(kind::mapping))
        return nullptr;
    const auto& values = self_.node_->items;
    const auto found = std::find_if(values.begin(), values.end(), [key](const auto& each) { return each.key == key; });
    return found != values.end() ? &*found : nullptr;
}

setting mapping::child(std::string_view key, const yaml_node* value, std::string_view pattern) const
{
    return {self_.context_, value, value != nullptr ? value->at : self_.at_, joined(self_.path_, key),
            joined(self_.pattern_, pattern)};
}

setting mapping::operator[](std::string_view key)
{
    known_.emplace_back(key);
    auto value = child(key, find(key), key);
    self_.context_->known_keys.insert(value.pattern_);
    return value;
}

setting mapping::required(std::string_view key, std::string_view expected)
{
    auto value = (*this)[key];
    if (!value.given()) {
        const auto where = self_.path_.empty() ? std::string{} : " in " + self_.path_;
        self_.context_->found.error(self_.at_,
                                    "missing key " + in_quotes(key) + where + ", expected " + std::string{expected});
    }
    return value;
}

std::vector<mapping::entry> mapping::entries()
{
    free_keys_ = true;
    std::vector<entry> all;
    if (self_.is(kind::mapping))
        for (const auto& each : self_.node_->items)
            all.push_back({each.key, each.key_at, child(each.key, &each, "*")});
    if (!all.empty())
        self_.context_->known_keys.insert(joined(self_.pattern_, "*"));
    return all;
}

bool mapping::is_known(std::string_view key) const
{
    return free_keys_ || std::find(known_.begin(), known_.end(), key) != known_.end();
}

bool mapping::all_known() const
{
    return !self_.is(kind::mapping) || std::all_of(self_.node_->items.begin(), self_.node_->items.end(),
                                                   [this](const auto& each) { return is_known(each.key); });
}

void mapping::report_unknown() const
{
    if (all_known())
        return;
    const std::vector<std::string_view> known{known_.begin(), known_.end()};
    for (const auto& entry : self_.node_->items) {
        if (is_known(entry.key))
            continue;
        auto what = "unknown key" + (concealed_ ? "" : ' ' + in_quotes(entry.key));
        if (!self_.path_.empty())
            what += " in " + self_.path_;
        const auto meant = nearest(entry.key, known);
        what += meant.empty() ? ", expected " + alternatives(known) : ", did you mean " + in_quotes(meant) + "?";
        self_.context_->found.error(entry.key_at, std::move(what));
    }
}

} // namespace wxcourier::config
