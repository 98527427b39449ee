// SPDX-License-Identifier: Apache-2.0
#include "codec/wechat_codec.hpp"

#include "codec/json_document.hpp"
#include "codec/rapidjson.hpp"
#include "codec/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace wxcourier::codec {
namespace {

/// Answers to sends and token calls are flat; what is nested deeper is none of theirs.
constexpr std::size_t deepest_answer = 16;
constexpr std::size_t longest_errmsg = 512;
constexpr std::size_t longest_msgid = 32;
/// WeChat asks for room for 512 characters.
constexpr std::size_t longest_token = 2048;

/// The members of an answer that are of interest, as they were written; the rest is passed over.
struct answer_members {
    std::optional<std::string> errcode;
    std::string errmsg;
    std::string msgid;
    std::string access_token;
    std::string expires_in;
};

/// Collects the top-level members. Numbers arrive as text, so that none goes through a double.
class answer_handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, answer_handler> {
public:
    explicit answer_handler(answer_members& into) : into_(into) {}

    // Names are RapidJSON's; false ends the parse.
    bool Default() { return depth_ > 0; } // true, false, null: nothing of interest, but no answer by itself
    bool StartObject() { return ++depth_ <= deepest_answer; }
    bool EndObject(rapidjson::SizeType)
    {
        --depth_;
        return true;
    }
    bool StartArray() { return depth_ > 0 && ++depth_ <= deepest_answer; }
    bool EndArray(rapidjson::SizeType)
    {
        --depth_;
        return true;
    }
    bool Key(const char* text, rapidjson::SizeType length, bool)
    {
        if (depth_ == 1)
            key_.assign(text, length);
        return true;
    }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool) { return take({text, length}, true); }
    bool String(const char* text, rapidjson::SizeType length, bool) { return take({text, length}, false); }

private:
    bool take(std::string_view value, bool number)
    {
        if (depth_ != 1)
            return depth_ > 1;
        if (key_ == "errcode")
            into_.errcode = value;
        else if (key_ == "msgid")
            into_.msgid = value;
        else if (key_ == "expires_in")
            into_.expires_in = value;
        else if (key_ == "errmsg" && !number)
            into_.errmsg = value;
        else if (key_ == "access_token" && !number)
            into_.access_token = value;
        return true;
    }

    answer_members& into_;
    std::string key_;
    std::size_t depth_ = 0;
};

/// Empty: the body is no JSON object.
std::optional<answer_members> read_members(std::string_view body)
{
    std::optional<answer_members> members{std::in_place};
    answer_handler handler{*members};
    rapidjson::MemoryStream stream{body.data(), body.size()};
    thread_local rapidjson::Reader reader; // Its stack stays allocated.
    // Not validating: an errmsg with broken UTF-8 still has an errcode that counts.
    constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
    reader.Parse<flags>(stream, handler);
    // The parser takes a NUL for the end of the text.
    if (reader.HasParseError() || stream.Tell() != body.size())
        members.reset();
    return members;
}

/// What a send's answer is judged by; views into it.
struct push_answer {
    std::optional<std::string_view> errcode;
    std::string_view errmsg;
    std::string_view msgid;
};

/// Reads an answer such as WeChat's servers write: one flat object of integers and of strings without escapes. That is
/// a seventh of what the other reader takes, which reads everything else. False: it is no such one.
class flat_answer_reader {
public:
    explicit flat_answer_reader(std::string_view body) : rest_(body) {}

    bool read(push_answer& into)
    {
        if (!take('{'))
            return false;
        do {
            std::string_view key;
            std::string_view value;
            if (!read_string(key) || !take(':'))
                return false;
            const bool number = !read_string(value);
            if (number && !read_integer(value))
                return false;
            if (key == "errcode")
                into.errcode = value;
            else if (key == "msgid")
                into.msgid = value;
            else if (key == "errmsg" && !number)
                into.errmsg = value;
        } while (take(','));
        return take('}') && rest_.empty();
    }

private:
    /// One character and the blanks around it.
    bool take(char wanted)
    {
        pass_blanks();
        if (rest_.empty() || rest_.front() != wanted)
            return false;
        rest_.remove_prefix(1);
        pass_blanks();
        return true;
    }

    void pass_blanks()
    {
        while (!rest_.empty() &&
               (rest_.front() == ' ' || rest_.front() == '\n' || rest_.front() == '\r' || rest_.front() == '\t'))
            rest_.remove_prefix(1);
    }

    bool read_string(std::string_view& into)
    {
        if (rest_.empty() || rest_.front() != '"')
            return false;
        std::size_t length = 1;
        while (length < rest_.size() && rest_[length] != '"') {
            if (static_cast<unsigned char>(rest_[length]) < 0x20 || rest_[length] == '\\')
                return false;
            ++length;
        }
        if (length == rest_.size())
            return false;
        into = rest_.substr(1, length - 1);
        rest_.remove_prefix(length + 1);
        return true;
    }

    bool read_integer(std::string_view& into)
    {
        constexpr std::size_t longest = 64;
        const std::size_t sign = rest_.starts_with('-') ? 1 : 0;
        std::size_t length = sign;
        while (length < rest_.size() && length < longest && rest_[length] >= '0' && rest_[length] <= '9')
            ++length;
        const bool leading_zero = length > sign + 1 && rest_[sign] == '0';
        const bool goes_on =
            length < rest_.size() && std::string_view{"0123456789.eE"}.find(rest_[length]) != std::string_view::npos;
        if (length == sign || leading_zero || goes_on)
            return false;
        into = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return true;
    }

    std::string_view rest_;
};

template <typename Number>
std::optional<Number> number_in(std::string_view text) noexcept
{
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

template <typename Answer>
std::optional<int> errcode_of(const Answer& answer) noexcept
{
    return answer.errcode ? number_in<int>(*answer.errcode) : std::nullopt;
}

std::string readable(std::string_view errmsg)
{
    std::string text;
    append_utf8(text, errmsg, longest_errmsg);
    return text;
}

constexpr bool is_digit(char byte) noexcept
{
    return byte >= '0' && byte <= '9';
}

constexpr bool is_hex(char byte) noexcept
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

/// Whether it can stand in a request's query: a token with blanks or line ends is none.
bool is_token(std::string_view text) noexcept
{
    return !text.empty() && text.size() <= longest_token &&
           std::ranges::all_of(text, [](char byte) { return byte > 0x20 && byte < 0x7F; });
}

/// The value at a path of names with dots between; none if there is none.
json_value value_at(json_value from, std::string_view path) noexcept
{
    while (from) {
        if (!from.is(json_type::object))
            return {};
        const auto dot = path.find('.');
        from = from.find(path.substr(0, dot));
        if (dot == std::string_view::npos)
            return from;
        path.remove_prefix(dot + 1);
    }
    return {};
}

bool is_rid(std::string_view text) noexcept
{
    constexpr std::string_view shape = "hhhhhhhh-hhhhhhhh-hhhhhhhh";
    return text.size() == shape.size() && std::ranges::equal(text, shape, [](char byte, char expected) {
               return expected == '-' ? byte == '-' : is_hex(byte);
           });
}

} // namespace

void read_push_answer(std::string_view body, domain::push_reply& reply)
{
    reply.errcode.reset();
    reply.errmsg.clear();
    reply.msgid.clear();
    reply.rid.clear();
    push_answer answer;
    std::optional<answer_members> members; // Keeps what `answer` refers to.
    bool is_object = flat_answer_reader{body}.read(answer);
    if (!is_object) {
        members = read_members(body);
        is_object = members.has_value();
        answer = {};
        if (is_object)
            answer = {members->errcode, members->errmsg, members->msgid};
    }
    reply.errcode = errcode_of(answer);
    if (!reply.errcode) {
        reply.reach = domain::reach::unknown;
        reply.failure = domain::transport_failure::bad_answer;
        reply.errmsg = is_object ? "the answer has no errcode" : "the answer is no JSON object";
        return;
    }
    reply.reach = domain::reach::answered;
    reply.failure = domain::transport_failure::none;
    reply.errmsg = readable(answer.errmsg);
    reply.rid = find_rid(answer.errmsg);
    if (answer.msgid.size() <= longest_msgid && std::ranges::all_of(answer.msgid, is_digit))
        reply.msgid = answer.msgid;
}

token_answer read_token_answer(std::string_view body)
{
    token_answer answer;
    auto members = read_members(body);
    if (!members)
        return answer;
    answer.errcode = errcode_of(*members);
    answer.errmsg = readable(members->errmsg);
    const bool refused = answer.errcode.value_or(0) != 0;
    if (refused || !is_token(members->access_token))
        return answer;
    answer.token = secret{std::move(members->access_token)};
    answer.expires_in = seconds{std::max(0, number_in<int>(members->expires_in).value_or(0))};
    return answer;
}

token_answer read_shared_token(std::string_view body, std::string_view token_path, std::string_view expires_path)
{
    token_answer answer;
    json_document document;
    if (document.parse(body, body.size())) {
        answer.errmsg = "the answer is no JSON";
        return answer;
    }
    const auto token = value_at(document.root(), token_path);
    if (!token.is(json_type::string) || !is_token(token.text())) {
        answer.errmsg = "the answer has no token at " + std::string(token_path);
        return answer;
    }
    const auto dot = token_path.rfind('.');
    const std::string beside = dot == std::string_view::npos ? "" : std::string(token_path.substr(0, dot + 1));
    const auto left =
        value_at(document.root(), expires_path.empty() ? beside + "expires_in" : std::string(expires_path));
    if (!left && expires_path.empty()) {
        answer.token = secret{std::string(token.text())};
        return answer;
    }
    const auto expires_in = left ? number_in<int>(left.text()) : std::nullopt;
    if (!expires_in)
        answer.errmsg = "the answer does not say how many seconds the token has left";
    else if (*expires_in <= 0)
        answer.errmsg = "the token server's token has expired";
    else
        answer = {secret{std::string(token.text())}, seconds{*expires_in}, std::nullopt, {}};
    return answer;
}

quota_answer read_quota_answer(std::string_view body)
{
    quota_answer answer;
    json_document document;
    if (document.parse(body, body.size())) {
        answer.errmsg = "the answer is no JSON";
        return answer;
    }
    const auto root = document.root();
    const auto number_at = [&root](std::string_view path) {
        const auto found = value_at(root, path);
        return found ? number_in<std::int64_t>(found.text()) : std::nullopt;
    };
    if (const auto errcode = number_at("errcode"); errcode && std::in_range<int>(*errcode))
        answer.errcode = static_cast<int>(*errcode);
    if (const auto errmsg = value_at(root, "errmsg"); errmsg.is(json_type::string))
        answer.errmsg = readable(errmsg.text());
    const auto limit = number_at("quota.daily_limit");
    const auto remain = number_at("quota.remain");
    if (answer.errcode.value_or(0) == 0 && limit && remain)
        answer.standing = domain::quota_standing{*limit, *remain};
    else if (answer.errcode.value_or(0) == 0)
        answer.errmsg = "the answer does not say how much is left";
    return answer;
}

std::string_view find_rid(std::string_view errmsg) noexcept
{
    constexpr std::string_view label = "rid:";
    constexpr std::size_t length = 26;
    for (auto at = errmsg.find(label); at != std::string_view::npos; at = errmsg.find(label, at + 1)) {
        auto behind = errmsg.substr(at + label.size());
        behind.remove_prefix(std::min(behind.find_first_not_of(' '), behind.size()));
        if (is_rid(behind.substr(0, length)))
            return behind.substr(0, length);
    }
    return {};
}

} // namespace wxcourier::codec
