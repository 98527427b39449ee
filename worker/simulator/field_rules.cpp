// SPDX-License-Identifier: Apache-2.0
#include "simulator/field_rules.hpp"

#include "simulator/utf8.hpp"

#include <algorithm>
#include <array>

namespace wxcourier::simulator {

namespace {

/// How many characters of each sort a value has.
struct census {
    std::size_t han = 0;
    std::size_t letters = 0;
    std::size_t digits = 0;
    std::size_t symbols = 0;
    std::size_t controls = 0; ///< Line breaks and the like: in no typed value. Broken UTF-8 counts here too.

    [[nodiscard]] std::size_t all() const noexcept { return han + letters + digits + symbols; }
};

bool is_digit(char32_t point) noexcept
{
    return point >= '0' && point <= '9';
}

bool is_letter(char32_t point) noexcept
{
    return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z');
}

bool is_han(char32_t point) noexcept
{
    return point == 0x3007 || (point >= 0x3400 && point <= 0x4DBF) || (point >= 0x4E00 && point <= 0x9FFF) ||
           (point >= 0xF900 && point <= 0xFAFF) || (point >= 0x20000 && point <= 0x323AF);
}

bool is_control(char32_t point) noexcept
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029 || point == not_utf8;
}

census count(std::string_view value) noexcept
{
    census found;
    for (std::size_t at = 0; at < value.size();) {
        const char32_t point = next_code_point(value, at);
        if (is_control(point)) {
            ++found.controls;
        } else if (is_digit(point)) {
            ++found.digits;
        } else if (is_letter(point)) {
            ++found.letters;
        } else if (is_han(point)) {
            ++found.han;
        } else {
            ++found.symbols;
        }
    }
    return found;
}

/// Takes a text apart from the left.
class scanner {
public:
    explicit scanner(std::string_view text) noexcept : rest_(text) {}

    /// Between `least` and `most` digits whose number is at most `highest`.
    bool number(std::size_t least, std::size_t most, unsigned highest) noexcept
    {
        std::size_t length = 0;
        unsigned value = 0;
        while (length < most && length < rest_.size() && is_digit(static_cast<unsigned char>(rest_[length]))) {
            value = value * 10 + static_cast<unsigned>(rest_[length++] - '0');
        }
        if (length < least || value > highest) {
            return false;
        }
        rest_.remove_prefix(length);
        return true;
    }

    bool literal(std::string_view text) noexcept
    {
        if (!rest_.starts_with(text)) {
            return false;
        }
        rest_.remove_prefix(text.size());
        return true;
    }

    void blanks() noexcept
    {
        while (literal(" ")) {
        }
    }

    [[nodiscard]] bool done() const noexcept { return rest_.empty(); }

private:
    std::string_view rest_;
};

/// `15:01`, `15:01:30`.
bool scan_clock(scanner& text) noexcept
{
    scanner ahead = text;
    if (!ahead.number(1, 2, 24) || !ahead.literal(":") || !ahead.number(2, 2, 59)) {
        return false;
    }
    scanner longer = ahead;
    text = longer.literal(":") && longer.number(2, 2, 59) ? longer : ahead;
    return true;
}

/// `2019年10月1日`, `2019年10月`, `10月1日`.
bool scan_han_date(scanner& text) noexcept
{
    scanner ahead = text;
    scanner year = ahead;
    const bool has_year = year.number(4, 4, 9999) && year.literal("年");
    if (has_year) {
        ahead = year;
    }
    if (!ahead.number(1, 2, 12) || !ahead.literal("月")) {
        return false;
    }
    scanner day = ahead;
    const bool has_day = day.number(1, 2, 31) && day.literal("日");
    if (!has_year && !has_day) {
        return false;
    }
    text = has_day ? day : ahead;
    return true;
}

/// `2019-10-01`, `2019-10`, `10-01`, also with `/` or `.`.
bool scan_plain_date(scanner& text, std::string_view mark) noexcept
{
    scanner ahead = text;
    scanner year = ahead;
    const bool has_year = year.number(4, 4, 9999) && year.literal(mark);
    if (has_year) {
        ahead = year;
    }
    if (!ahead.number(1, 2, 12)) {
        return false;
    }
    scanner day = ahead;
    const bool has_day = day.literal(mark) && day.number(1, 2, 31);
    if (!has_year && !has_day) {
        return false;
    }
    text = has_day ? day : ahead;
    return true;
}

bool scan_date(scanner& text) noexcept
{
    return scan_han_date(text) || scan_plain_date(text, "-") || scan_plain_date(text, "/") ||
           scan_plain_date(text, ".");
}

/// A time of day, with a date before it or not.
bool scan_time(scanner& text) noexcept
{
    scanner dated = text;
    if (scan_date(dated)) {
        dated.blanks();
        if (scan_clock(dated)) {
            text = dated;
            return true;
        }
    }
    return scan_clock(text);
}

/// A date, with a time of day behind it or not.
bool scan_day(scanner& text) noexcept
{
    if (!scan_date(text)) {
        return false;
    }
    scanner timed = text;
    timed.blanks();
    if (scan_clock(timed)) {
        text = timed;
    }
    return true;
}

/// One, or two joined by `~`.
bool is_range_of(bool (*scan)(scanner&) noexcept, std::string_view value) noexcept
{
    scanner text(value);
    if (!scan(text)) {
        return false;
    }
    text.blanks();
    if (!text.literal("~")) {
        return text.done();
    }
    text.blanks();
    return (scan(text) || scan_clock(text)) && text.done();
}

bool is_time(std::string_view value) noexcept
{
    return is_range_of(scan_time, value);
}

bool is_date(std::string_view value) noexcept
{
    return is_range_of(scan_day, value);
}

/// Digits with a decimal point inside, or without one.
bool is_decimal(std::string_view value, std::size_t most_digits) noexcept
{
    const auto found = count(value);
    const auto point = value.find('.');
    return found.digits == value.size() - (point == std::string_view::npos ? 0 : 1) && found.digits <= most_digits &&
           point != 0 && point != value.size() - 1 && found.digits > 0;
}

bool is_number(std::string_view value) noexcept
{
    return is_decimal(value, 32);
}

bool is_amount(std::string_view value) noexcept
{
    constexpr std::array<std::string_view, 6> signs{"¥", "￥", "$", "€", "£", "₩"};
    for (const auto sign : signs) {
        if (value.starts_with(sign)) {
            value.remove_prefix(sign.size());
            break;
        }
    }
    if (constexpr std::string_view yuan = "元"; value.ends_with(yuan)) {
        value.remove_suffix(yuan.size());
    }
    return value.substr(0, value.find('.')).size() <= 10 && is_decimal(value, 20);
}

bool is_car_number(std::string_view value) noexcept
{
    const std::size_t length = count_code_points(value);
    std::size_t place = 0;
    for (std::size_t at = 0; at < value.size(); ++place) {
        const char32_t point = next_code_point(value, at);
        const bool outer = place == 0 || place == length - 1;
        if (!is_digit(point) && !is_letter(point) && !(outer && is_han(point))) {
            return false;
        }
    }
    return length <= 8;
}

bool is_name(std::string_view value) noexcept
{
    const census found = count(value);
    return found.controls + found.digits == 0 && found.all() <= (found.han != 0 ? 10U : 20U);
}

bool is_thing(std::string_view value) noexcept
{
    const census found = count(value);
    return found.controls == 0 && found.all() <= 20;
}

bool is_letters(std::string_view value) noexcept
{
    return count(value).letters == value.size() && value.size() <= 32;
}

bool is_symbols(std::string_view value) noexcept
{
    const census found = count(value);
    return found.controls == 0 && found.symbols == found.all() && found.symbols <= 5;
}

bool is_character_string(std::string_view value) noexcept
{
    const census found = count(value);
    return found.controls + found.han == 0 && found.all() <= 32;
}

bool is_phone_number(std::string_view value) noexcept
{
    const census found = count(value);
    return found.controls + found.han + found.letters == 0 && found.all() <= 17;
}

bool is_phrase(std::string_view value) noexcept
{
    const census found = count(value);
    return found.controls == 0 && found.han == found.all() && found.han <= 5;
}

bool is_one_line(std::string_view value) noexcept
{
    return count(value).controls == 0;
}

struct field_type {
    std::string_view prefix;
    bool (*accepts)(std::string_view) noexcept;
};

// short_thing: the limit is not published, so thing's holds. enum: the allowed values are the template's.
constexpr std::array field_types{
    field_type{"thing", is_thing},
    field_type{"short_thing", is_thing},
    field_type{"number", is_number},
    field_type{"letter", is_letters},
    field_type{"symbol", is_symbols},
    field_type{"character_string", is_character_string},
    field_type{"time", is_time},
    field_type{"date", is_date},
    field_type{"amount", is_amount},
    field_type{"phone_number", is_phone_number},
    field_type{"car_number", is_car_number},
    field_type{"name", is_name},
    field_type{"phrase", is_phrase},
    field_type{"enum", is_one_line},
    field_type{"const", is_thing},
};

} // namespace

field_verdict check_field(std::string_view name, std::string_view value) noexcept
{
    const auto last = name.find_last_not_of("0123456789");
    if (last == std::string_view::npos || last + 1 == name.size()) {
        return field_verdict::fine;
    }
    const auto* const type = std::ranges::find(field_types, name.substr(0, last + 1), &field_type::prefix);
    if (type == field_types.end()) {
        return field_verdict::fine;
    }
    if (value.empty()) {
        return field_verdict::empty;
    }
    return type->accepts(value) ? field_verdict::fine : field_verdict::invalid;
}

} // namespace wxcourier::simulator
