// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_document.hpp"

#include "config/utf8.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

namespace wxcourier::config {

namespace {

/// Turns yaml-cpp's marks (byte columns from 0) into places.
class line_index {
public:
    explicit line_index(std::string_view text) : text_(text)
    {
        starts_.push_back(0);
        for (std::size_t i = 0; i < text.size(); ++i)
            if (text[i] == '\n')
                starts_.push_back(i + 1);
    }

    [[nodiscard]] place at(const YAML::Mark& mark) const
    {
        if (mark.is_null() || mark.line < 0)
            return {};
        if (static_cast<std::size_t>(mark.line) >= starts_.size())
            return at(text_.size());
        const auto before = line(mark.line).substr(0, static_cast<std::size_t>(std::max(mark.column, 0)));
        return {mark.line + 1, static_cast<int>(count_characters(before)) + 1};
    }

    /// The place of the byte at `offset`.
    [[nodiscard]] place at(std::size_t offset) const
    {
        const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
        const auto start = *std::prev(next);
        return {static_cast<int>(next - starts_.begin()),
                static_cast<int>(count_characters(text_.substr(start, offset - start))) + 1};
    }

    /// Whether a null is written at the mark, rather than nothing at all.
    [[nodiscard]] bool holds_null(const YAML::Mark& mark) const
    {
        const auto rest = text_.substr(std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), text_.size()));
        return rest.starts_with('~') || rest.starts_with("null") || rest.starts_with("Null") ||
               rest.starts_with("NULL");
    }

    /// The first line of more than `limit` bytes, counted from 0.
    [[nodiscard]] std::optional<int> find_longer_than(std::size_t limit) const
    {
        for (std::size_t i = 0; i < starts_.size(); ++i)
            if ((i + 1 < starts_.size() ? starts_[i + 1] : text_.size()) - starts_[i] > limit)
                return static_cast<int>(i);
        return std::nullopt;
    }

    /// Line `index`, counted from 0.
    [[nodiscard]] std::string_view line(int index) const
    {
        const auto start = starts_[static_cast<std::size_t>(index)];
        return text_.substr(start, text_.find('\n', start) - start);
    }

private:
    std::string_view text_;
    std::vector<std::size_t> starts_;
};

/// Ends a parse that has nothing more to tell; the finding has been made.
struct parse_stopped {};

/// Builds the tree from the events of one document.
class tree_builder final : public YAML::EventHandler {
public:
    tree_builder(const line_index& lines, findings& found) : lines_(lines), found_(found) {}

    /// Where the last event was.
    [[nodiscard]] place last() const { return last_; }
    /// The document, once it has ended.
    [[nodiscard]] std::optional<yaml_node> take_root() { return std::exchange(root_, std::nullopt); }

    void OnDocumentStart(const YAML::Mark& mark) override
    {
        if (std::exchange(started_, true)) {
            found_.error(lines_.at(mark), "a second document begins, expected one per file");
            throw parse_stopped{};
        }
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        auto node = begin(mark, "", anchor);
        // Where nothing is written, the mark is that of whatever comes next: the key, or the list, says more.
        if (!open_.empty() && !lines_.holds_null(mark)) {
            const auto& parent = open_.back();
            node.at = parent.key ? parent.key->at : parent.node.at;
        }
        finish(std::move(node));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override
    {
        found_.error(lines_.at(mark), "aliases are not read, expected the value itself");
        finish({.is = yaml_node::kind::refused, .at = lines_.at(mark)});
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override
    {
        // yaml-cpp says "!" of a scalar that is quoted or a block, "?" of a plain one.
        auto node = begin(mark, tag == "!" ? "" : tag, anchor);
        if (node.is != yaml_node::kind::refused)
            node.is = yaml_node::kind::scalar;
        node.quoted = tag == "!";
        node.text = value;
        node.written = value;
        finish(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value /*style*/) override
    {
        open(mark, tag, anchor, yaml_node::kind::sequence);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value /*style*/) override
    {
        open(mark, tag, anchor, yaml_node::kind::mapping);
    }
    void OnMapEnd() override { close(); }

private:
    /// A sequence or mapping whose end has not come yet.
    struct unfinished {
        yaml_node node;
        std::optional<yaml_node> key; ///< Of a mapping: the key whose value is awaited.
        std::map<std::string, place> keys_so_far{};
    };

    /// A node without its contents, refused if it has an anchor or a tag.
    yaml_node begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor)
    {
        yaml_node node{.at = lines_.at(mark)};
        last_ = node.at;
        if (anchor != YAML::NullAnchor)
            found_.error(node.at, "anchors are not read, expected the value alone");
        else if (!tag.empty() && tag != "?")
            found_.error(node.at, "tags are not read, expected the value alone");
        else
            return node;
        node.is = yaml_node::kind::refused;
        return node;
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, yaml_node::kind is)
    {
        auto node = begin(mark, tag, anchor);
        if (open_.size() >= static_cast<std::size_t>(max_depth)) {
            found_.error(node.at, "nested too deep, expected at most " + std::to_string(max_depth) + " levels");
            throw parse_stopped{};
        }
        if (node.is != yaml_node::kind::refused)
            node.is = is;
        open_.push_back({std::move(node), std::nullopt});
        open_is_mapping_.push_back(is == yaml_node::kind::mapping);
    }

    void close()
    {
        auto node = std::move(open_.back().node);
        open_.pop_back();
        open_is_mapping_.pop_back();
        finish(std::move(node));
    }

    /// Puts a complete node where it belongs.
    void finish(yaml_node node)
    {
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        auto& parent = open_.back();
        if (!open_is_mapping_.back())
            parent.node.items.push_back(std::move(node));
        else if (!parent.key)
            parent.key = std::move(node);
        else
            add_value(parent, std::move(node));
    }

    void add_value(unfinished& parent, yaml_node value)
    {
        const auto key = std::exchange(parent.key, std::nullopt).value_or(yaml_node{});
        if (key.is == yaml_node::kind::refused)
            return;
        if (key.is != yaml_node::kind::scalar) {
            found_.error(key.at, "a key is not a word, expected KEY: VALUE");
            return;
        }
        const auto [first, is_new] = parent.keys_so_far.try_emplace(key.text, key.at);
        if (!is_new) {
            found_.error(key.at, "duplicate key " + in_quotes(key.text) + ", expected it once; it stands on line " +
                                     std::to_string(first->second.line) + " already");
            return;
        }
        value.key = key.text;
        value.key_at = key.at;
        parent.node.items.push_back(std::move(value));
    }

    const line_index& lines_;
    findings& found_;
    std::vector<unfinished> open_;
    std::vector<bool> open_is_mapping_; ///< Beside `open_`: a refused mapping still has keys and values.
    std::optional<yaml_node> root_;
    place last_;
    bool started_ = false;
};

/// Whether a [ or { stands on the line, but for the { of `${`.
bool has_flow_bracket(std::string_view line)
{
    for (std::size_t i = 0; i < line.size(); ++i)
        if (line[i] == '[' || (line[i] == '{' && (i == 0 || line[i - 1] != '$')))
            return true;
    return false;
}

/// What to do about a syntax error. `line`: the one it was found on.
std::string_view syntax_advice(std::string_view message, std::string_view line)
{
    namespace said = YAML::ErrorMsg;
    if (line.find("${") != std::string_view::npos && has_flow_bracket(line))
        return "expected quotes around ${NAME} inside [ ] or { }";
    if (message == said::END_OF_MAP_FLOW)
        return "expected a } for every {";
    if (message == said::END_OF_SEQ_FLOW)
        return "expected a ] for every [";
    if (message == said::UNKNOWN_TOKEN)
        return "expected quotes around a value with a special character";
    return "expected KEY: VALUE lines with matching indentation, quotes and brackets";
}

/// Makes the finding of what yaml-cpp refuses. `last`: where the last thing stands that it could read.
void report_syntax_error(const YAML::Exception& failure, place last, const line_index& lines, findings& found)
{
    if (failure.msg == YAML::ErrorMsg::EOF_IN_SCALAR || failure.msg == YAML::ErrorMsg::DOC_IN_SCALAR) {
        found.error(last, "not YAML: a quote that opens after this never closes, expected its end");
        return;
    }
    const auto at = lines.at(failure.mark);
    const auto line = lines.line(at.line - 1);
    if (failure.msg.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR)) {
        found.error(at, "aliases are not read, expected the value itself, in quotes where it begins with *");
    } else if (const auto indentation = line.find_first_not_of(' ');
               indentation != std::string_view::npos && line[indentation] == '\t')
    {
        found.error({at.line, static_cast<int>(indentation) + 1}, "a tab, expected spaces for indentation");
    } else {
        // Messages after a colon quote the file, which may hold a secret.
        const auto message = failure.msg.substr(0, failure.msg.find(": "));
        found.error(at, "not YAML: " + message + ", " + std::string{syntax_advice(message, line)});
    }
}

/// Where the first control character stands that is neither a tab nor part of a line's end.
std::optional<std::size_t> find_control(std::string_view text)
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool line_end = text[i] == '\n' || text.substr(i, 2) == "\r\n";
        if (is_control(text[i]) && text[i] != '\t' && !line_end)
            return i;
    }
    return std::nullopt;
}

/// Checks what must hold before yaml-cpp may see the bytes: it would read UTF-16, and replace what is not UTF-8.
bool check_bytes(std::string_view text, const line_index& lines, findings& found)
{
    if (const auto bad = find_invalid_utf8(text)) {
        found.error(lines.at(*bad), "a byte that is not UTF-8, expected UTF-8 text");
        return false;
    }
    if (const auto control = find_control(text)) {
        const bool is_nul = text[*control] == '\0';
        found.error(lines.at(*control), is_nul ? "a NUL byte, expected text" : "a control character, expected text");
        return false;
    }
    if (const auto longest = lines.find_longer_than(max_line_bytes)) {
        found.error({*longest + 1, 1}, "a line of more than 8 KiB, expected shorter ones");
        return false;
    }
    return true;
}

} // namespace

std::optional<yaml_node> parse_yaml(std::string_view text, findings& found)
{
    if (text.size() > max_file_bytes) {
        found.error({}, "the file is larger than 256 KiB, expected a configuration");
        return std::nullopt;
    }
    if (text.starts_with("\xEF\xBB\xBF"))
        text.remove_prefix(3);
    const line_index lines{text};
    if (!check_bytes(text, lines, found))
        return std::nullopt;
    tree_builder builder{lines, found};
    try {
        // Without a document's end, yaml-cpp lets the end of the file close a quote that nothing else closes.
        std::istringstream in{std::string{text} + (text.ends_with('\n') ? "...\n" : "\n...\n")};
        YAML::Parser parser{in};
        if (parser.HandleNextDocument(builder))
            parser.HandleNextDocument(builder);
    } catch (const parse_stopped&) {
        return std::nullopt;
    } catch (const YAML::Exception& failure) {
        report_syntax_error(failure, builder.last(), lines, found);
        return std::nullopt;
    }
    auto root = builder.take_root();
    if (!root || root->is == yaml_node::kind::null) {
        found.error({}, "the file is empty, expected at least kafka.bootstrap_servers and apps");
        return std::nullopt;
    }
    return root;
}

} // namespace wxcourier::config
