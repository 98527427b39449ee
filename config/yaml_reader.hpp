// SPDX-License-Identifier: Apache-2.0
/// @file
/// The typed view of the YAML tree that the sections read their settings through. A read that fails makes a finding
/// and leaves what it was to fill as it was, so that a section reads on to its end and everything is found in one go.
#pragma once

#include "common/time.hpp"
#include "config/finding.hpp"
#include "config/load.hpp"
#include "config/yaml_document.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wxcourier::config {

/// What one load gathers on its way.
struct load_context {
    secrets want = secrets::required;
    findings found{};
    property_check check_property{}; ///< May be empty.
    /// Every key that was asked for, as `apps[].token.source`; `*` stands for a free key. The schema is tested with it.
    std::set<std::string> known_keys{};
};

/// One value, there or not, with the place and the dotted path that messages name. Cheap to copy; the context and the
/// tree must outlive it.
class setting {
public:
    /// The document itself.
    setting(load_context& context, const yaml_node& root) : context_(&context), node_(&root), at_(root.at) {}

    /// Whether the file says anything here, be it null or nonsense.
    [[nodiscard]] bool given() const noexcept { return node_ != nullptr; }
    [[nodiscard]] bool is(yaml_node::kind kind) const noexcept { return node_ != nullptr && node_->is == kind; }
    /// The value's place; of an absent one, its parent's.
    [[nodiscard]] place at() const noexcept { return at_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] load_context& context() const noexcept { return *context_; }

    /// Makes a finding of this value: its path, then `what`, which begins with a verb.
    void error(std::string_view what) const;
    void warning(std::string_view what) const;

    /// The scalar as it may be shown in a message: before any `${NAME}` was replaced.
    [[nodiscard]] std::string written() const;
    /// The same in quotes.
    [[nodiscard]] std::string shown() const;

    /// The scalar's text, without control characters, not empty. Empty optional: absent, or a finding was made.
    [[nodiscard]] std::optional<std::string> text(std::string_view expected) const;
    /// The scalar as it is, empty text and control characters included; for secrets, which no message may show.
    [[nodiscard]] std::optional<std::string> raw_text(std::string_view expected) const;

    /// These leave `into` alone when the value is absent or wrong. Bounds are inclusive.
    void read(std::string& into, std::string_view expected) const;
    void read(bool& into, std::string_view expected = "true or false") const;
    void read(int& into, int low, int high) const;
    void read(double& into, double low, double high) const;
    void read(milliseconds& into, milliseconds low, milliseconds high) const;
    /// `null` empties it.
    void read(std::optional<milliseconds>& into, milliseconds low, milliseconds high) const;

    /// Reads one of the words. False: absent, or a finding was made.
    template <class Value>
    bool choose(Value& into, const std::vector<std::pair<std::string_view, Value>>& choices) const
    {
        std::vector<std::string_view> words;
        words.reserve(choices.size());
        for (const auto& each : choices)
            words.push_back(each.first);
        const auto index = choose_word(words);
        if (!index)
            return false;
        into = choices[*index].second;
        return true;
    }

    /// The elements of a list. Empty: absent, empty, or a finding was made.
    [[nodiscard]] std::vector<setting> items(std::string_view expected) const;

private:
    friend class mapping;

    setting(load_context* context, const yaml_node* node, place at, std::string path, std::string pattern)
        : context_(context), node_(node), at_(at), path_(std::move(path)), pattern_(std::move(pattern))
    {
    }

    /// The node when it is a scalar; otherwise a finding, unless it is absent or refused.
    [[nodiscard]] const yaml_node* scalar(std::string_view expected) const;
    [[nodiscard]] std::optional<std::size_t> choose_word(const std::vector<std::string_view>& words) const;

    load_context* context_;
    const yaml_node* node_;
    place at_;
    std::string path_;
    std::string pattern_;
};

/// The keys of one mapping. Made by `read_mapping`.
class mapping {
public:
    /// The value of `key`, which thereby is a known key.
    setting operator[](std::string_view key);
    /// The same; that it is missing is an error.
    setting required(std::string_view key, std::string_view expected);
    /// The value of every entry with its key and the key's place, for a mapping whose keys are free.
    struct entry {
        std::string key;
        place at;
        setting value;
    };
    std::vector<entry> entries();

    [[nodiscard]] const setting& self() const noexcept { return self_; }
    /// Whether every key that stands in the file has been asked for by now.
    [[nodiscard]] bool all_known() const;

    /// Reads the mapping at `from` by way of `body(mapping&)`, then makes a finding of every key nobody asked for. An
    /// absent or null mapping is one without keys. False: it is something else, and `body` was not called.
    template <class Body>
    static bool read(const setting& from, Body&& body)
    {
        if (!acceptable(from))
            return false;
        mapping keys{from};
        body(keys);
        keys.report_unknown();
        return true;
    }

    /// Unknown keys are not named in findings: in the mapping of a secret one may be the secret itself.
    void conceal_unknown() noexcept { concealed_ = true; }

private:
    explicit mapping(setting from) : self_(std::move(from)) {}
    static bool acceptable(const setting& from);
    void report_unknown() const;
    [[nodiscard]] bool is_known(std::string_view key) const;
    [[nodiscard]] const yaml_node* find(std::string_view key) const;
    [[nodiscard]] setting child(std::string_view key, const yaml_node* value, std::string_view pattern) const;

    setting self_;
    std::vector<std::string> known_;
    bool free_keys_ = false;
    bool concealed_ = false;
};

} // namespace wxcourier::config
