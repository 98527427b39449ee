// SPDX-License-Identifier: Apache-2.0
#include "codec/job_codec.hpp"

#include "codec/json_document.hpp"
#include "codec/message_body.hpp"
#include "codec/message_contents.hpp"
#include "codec/message_shape.hpp"
#include "codec/text_facts.hpp"
#include "common/rfc3339.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace wxcourier::codec {
namespace {

static_assert(deepest_job == json_document::deepest);

constexpr std::string_view invalid_job = "invalid_job";

struct fault {
    std::string_view reason;
    std::string error;
};
using check = std::optional<fault>;

fault invalid(std::string error)
{
    return {invalid_job, std::move(error)};
}

/// `: a number, expected …`, for a value of the wrong type or none.
std::string mismatch(json_value found, std::string_view expected)
{
    const auto what = found ? describe(found.type()) : std::string_view{"missing"};
    return ": " + std::string{what} + ", expected " + std::string{expected};
}

fault invalid(std::string_view pointer, json_value found, std::string_view expected)
{
    return invalid(std::string{pointer} + mismatch(found, expected));
}

/// What keeps a value from being a string of 1 to 128 printable characters, to be put behind its pointer.
std::optional<std::string> find_name_fault(json_value name, std::string_view expected)
{
    if (!name.is(json_type::string))
        return mismatch(name, expected);
    const auto facts = examine(name.text());
    const auto fault_is = [expected](std::string_view what) {
        return ": " + std::string{what} + ", expected " + std::string{expected};
    };
    if (facts.characters == 0)
        return fault_is("empty");
    if (facts.characters > longest_name)
        return fault_is("longer than 128 characters");
    if (!facts.printable)
        return fault_is("holds an unprintable character");
    return std::nullopt;
}

constexpr std::string_view expected_id = "a string of 1 to 128 printable characters";
constexpr std::string_view expected_openid = "the recipient's openid";

std::string list_kinds()
{
    std::string names;
    for (const auto& kind : domain::all_kinds())
        names.append(names.empty() ? "" : ", ").append(kind.name);
    return names;
}

// ---------------------------------------------------------------------------------------------------------------
// Single fields

std::optional<domain::priority> priority_of(std::string_view name) noexcept
{
    if (name == "high")
        return domain::priority::high;
    if (name == "normal")
        return domain::priority::normal;
    if (name == "low")
        return domain::priority::low;
    return std::nullopt;
}

/// Empty: no time between 1970 and 9999.
std::optional<wall_time> time_of(json_value value)
{
    constexpr wall_time end = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1};
    std::optional<wall_time> time;
    if (value.type() == json_type::string)
        time = parse_rfc3339(value.text());
    else if (const auto since_epoch = value.integer())
        time = wall_time{milliseconds{*since_epoch}};
    return time && *time >= wall_time{} && *time < end ? time : std::nullopt;
}

check judge_label(json_value label)
{
    if (label.type() != json_type::string)
        return invalid(label.pointer(), label, "a string");
    const auto name = examine(label.key());
    if (name.characters == 0 || name.characters > longest_label_name || !name.printable)
        return invalid(label.pointer() + ": a label's name has 1 to 64 printable characters");
    const auto text = examine(label.text());
    if (text.characters > longest_label_value || !text.well_formed)
        return invalid(label.pointer() + ": " + std::to_string(text.characters) + " characters, expected at most 256");
    return std::nullopt;
}

check judge_labels(json_value labels)
{
    if (labels.type() != json_type::object)
        return invalid("/labels", labels, "an object of strings");
    if (labels.size() > most_labels)
        return invalid("/labels: " + std::to_string(labels.size()) + " labels, expected at most 16");
    for (const auto label : labels.children()) {
        if (auto found = judge_label(label))
            return found;
    }
    return std::nullopt;
}

domain::label_list labels_of(json_value labels)
{
    domain::label_list list;
    list.reserve(labels.size());
    for (const auto label : labels.children())
        list.emplace_back(label.key(), label.text());
    return list;
}

// ---------------------------------------------------------------------------------------------------------------
// Recipients

check judge_openid(json_value recipient)
{
    const bool is_object = recipient.type() == json_type::object;
    if (!is_object && recipient.type() != json_type::string)
        return invalid(recipient.pointer(), recipient, "an openid, or an object with touser");
    if (auto found = find_name_fault(is_object ? recipient.find("touser") : recipient, expected_openid))
        return invalid(recipient.pointer() + (is_object ? "/touser" : "") + *found);
    return std::nullopt;
}

/// Sorting, not hashing: a hash could be attacked with openids that collide.
check find_repeated_openid(const std::vector<json_value>& recipients)
{
    std::vector<std::size_t> order(recipients.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto openid = [&recipients](std::size_t index) { return openid_of(recipients[index]); };
    std::ranges::stable_sort(order, {}, openid);
    const auto repeat = std::ranges::adjacent_find(order, {}, openid);
    if (repeat == order.end())
        return std::nullopt;
    return invalid(recipients[*(repeat + 1)].pointer() + ": the openid of " + recipients[*repeat].pointer() + " again");
}

// ---------------------------------------------------------------------------------------------------------------
// The job

/// Reads one job's document, field by field, and stops at the first fault.
class job_reader {
public:
    job_reader(json_value root, const job_rules& rules, wall_time now) : root_(root), rules_(rules), now_(now) {}

    /// Empty: the job is accepted, and `job` is complete.
    check read();
    [[nodiscard]] domain::push_job take_job() { return std::move(job_); }
    [[nodiscard]] const domain::push_job& job() const noexcept { return job_; }
    [[nodiscard]] json_value message() const noexcept { return message_; }
    /// Empty for a job with one message.
    [[nodiscard]] const std::vector<json_value>& recipients() const noexcept { return recipients_; }

private:
    check read_fields();
    check read_id();
    check read_app();
    check read_kind();
    check read_priority();
    check read_times();
    check read_labels();
    check read_message();
    check read_recipients();

    json_value root_;
    const job_rules& rules_;
    wall_time now_;

    json_value id_, app_, kind_, message_, list_, not_before_, expire_at_, priority_, labels_;
    const known_app* known_app_ = nullptr;
    std::vector<json_value> recipients_;
    domain::push_job job_;
};

check job_reader::read()
{
    using step = check (job_reader::*)();
    static constexpr std::array<step, 9> steps{
        &job_reader::read_fields, &job_reader::read_id,      &job_reader::read_app,
        &job_reader::read_kind,   &job_reader::read_times,   &job_reader::read_priority,
        &job_reader::read_labels, &job_reader::read_message, &job_reader::read_recipients};
    for (const auto next : steps) {
        if (auto found = (this->*next)())
            return found;
    }
    return std::nullopt;
}

check job_reader::read_fields()
{
    if (!root_.is(json_type::object))
        return invalid("the value is " + std::string{describe(root_.type())} + ", expected a JSON object");
    const std::array<std::pair<std::string_view, json_value*>, 9> fields{{{"id", &id_},
                                                                          {"app", &app_},
                                                                          {"kind", &kind_},
                                                                          {"message", &message_},
                                                                          {"recipients", &list_},
                                                                          {"not_before", &not_before_},
                                                                          {"expire_at", &expire_at_},
                                                                          {"priority", &priority_},
                                                                          {"labels", &labels_}}};
    for (const auto member : root_.children()) {
        const auto key = member.key();
        const auto* const field = std::ranges::find(fields, key, [](const auto& known) { return known.first; });
        if (field == fields.end())
            return invalid(member.pointer() + ": unknown field, expected id, app, kind, message, recipients, "
                                              "not_before, expire_at, priority or labels");
        *field->second = member;
    }
    return std::nullopt;
}

check job_reader::read_id()
{
    if (const auto found = find_name_fault(id_, expected_id))
        return invalid("/id" + *found);
    job_.id = id_.text();
    return std::nullopt;
}

check job_reader::read_app()
{
    if (!app_.is(json_type::string))
        return invalid("/app", app_, "the name of an app");
    const auto name = app_.text();
    const auto known = std::ranges::find(rules_.apps, name, &known_app::name);
    if (known == rules_.apps.end())
        return fault{"unknown_app", "/app: unknown app, expected a name of the configuration"};
    if (!rules_.allowed_apps.empty() && std::ranges::find(rules_.allowed_apps, name) == rules_.allowed_apps.end())
        return fault{"forbidden_app", "/app: not allowed on this topic"};
    known_app_ = &*known;
    job_.app = name;
    return std::nullopt;
}

check job_reader::read_kind()
{
    if (!kind_.is(json_type::string))
        return invalid("/kind", kind_, "the name of a kind");
    job_.kind = domain::find_kind(kind_.text());
    if (job_.kind == nullptr)
        return fault{"unknown_kind", "/kind: unknown kind, expected one of " + list_kinds()};
    if (job_.kind->type == known_app_->type)
        return std::nullopt;
    const bool official = job_.kind->type == domain::app_type::official_account;
    return invalid("/kind: " + std::string{job_.kind->name} + " needs an app of type " +
                   (official ? "official_account" : "mini_program"));
}

check job_reader::read_times()
{
    constexpr std::string_view expected =
        "an RFC 3339 time or integer milliseconds since the epoch, of the years 1970 to 9999";
    job_.not_before = not_before_ ? time_of(not_before_) : std::nullopt;
    if (not_before_ && !job_.not_before)
        return invalid("/not_before", not_before_, expected);
    job_.expire_at = expire_at_ ? time_of(expire_at_) : std::nullopt;
    if (expire_at_ && !job_.expire_at)
        return invalid("/expire_at", expire_at_, expected);
    if (job_.not_before && *job_.not_before - now_ > rules_.max_delay)
        return invalid("/not_before: further ahead than delivery.max_delay");
    if (job_.not_before && job_.expire_at && *job_.expire_at < *job_.not_before)
        return invalid("/expire_at: before not_before");
    return std::nullopt;
}

check job_reader::read_priority()
{
    if (!priority_)
        return std::nullopt;
    const auto named = priority_.is(json_type::string) ? priority_of(priority_.text()) : std::nullopt;
    if (!named)
        return invalid("/priority", priority_, R"("high", "normal" or "low")");
    job_.priority = *named;
    return std::nullopt;
}

check job_reader::read_labels()
{
    if (!labels_)
        return std::nullopt;
    if (auto found = judge_labels(labels_))
        return found;
    job_.labels = labels_of(labels_);
    return std::nullopt;
}

check job_reader::read_message()
{
    if (!message_.is(json_type::object))
        return invalid("/message", message_, "an object");
    if (list_) {
        if (!list_.is(json_type::array))
            return invalid("/recipients", list_, "an array");
        if (message_.find("touser"))
            return invalid("/message/touser: stands beside recipients, expected in one of the two");
        return std::nullopt;
    }
    if (const auto found = find_name_fault(message_.find("touser"), expected_openid))
        return invalid("/message/touser" + *found);
    if (auto found = find_shape_fault(*job_.kind, message_))
        return invalid(std::move(*found));
    return std::nullopt;
}

check job_reader::read_recipients()
{
    if (!list_)
        return std::nullopt;
    if (list_.size() == 0 || list_.size() > most_recipients)
        return invalid("/recipients: " + std::to_string(list_.size()) + " recipients, expected 1 to " +
                       std::to_string(most_recipients));
    recipients_.reserve(list_.size());
    std::optional<merged_shape> merged;
    bool message_judged = false;
    for (const auto recipient : list_.children()) {
        if (auto found = judge_openid(recipient))
            return found;
        recipients_.push_back(recipient);
        std::optional<std::string> found;
        if (recipient.type() == json_type::object) {
            if (!merged)
                merged.emplace(*job_.kind, message_);
            found = merged->find_fault(recipient);
        } else if (!std::exchange(message_judged, true)) {
            found = find_shape_fault(*job_.kind, message_);
        }
        if (found)
            return invalid(std::move(*found));
    }
    return find_repeated_openid(recipients_);
}

// ---------------------------------------------------------------------------------------------------------------
// Acceptance

/// The common case: the body is made at once, and the document's memory serves the next job.
message_set make_message(const job_reader& reader, std::string_view value)
{
    const auto& job = reader.job();
    message_body body(reader.message(), reader.message().raw(value), {job.app, job.id, job.kind->takes_client_msg_id});
    const auto touser = reader.message().find("touser");
    const auto in_value = touser.text_in(value);
    return {std::move(body), in_value, in_value.empty() ? std::string(touser.text()) : std::string()};
}

message_set make_messages(json_document& document, const domain::push_job& job)
{
    auto made = std::make_unique<message_set::fan_out>();
    made->document = std::move(document);
    made->document.shrink();
    const auto root = made->document.root();
    made->message = root.find("message");
    const auto recipients = root.find("recipients");
    made->recipients.reserve(recipients.size());
    for (const auto recipient : recipients.children())
        made->recipients.push_back(recipient);
    made->app = job.app;
    made->id = job.id;
    made->takes_client_msg_id = job.kind->takes_client_msg_id;
    return message_set{std::move(made)};
}

// ---------------------------------------------------------------------------------------------------------------
// Rejection

/// A member that stands there once; none otherwise: with two of one name, neither can be relied on.
json_value only_member(json_value object, std::string_view name)
{
    json_value only;
    if (!object.is(json_type::object))
        return only;
    for (const auto member : object.children()) {
        if (member.key() == name) {
            if (only)
                return {};
            only = member;
        }
    }
    return only;
}

std::optional<std::string> name_in(json_value object, std::string_view member)
{
    const auto name = only_member(object, member);
    if (find_name_fault(name, {}))
        return std::nullopt;
    return std::string{name.text()};
}

bool repeats_a_label(json_value labels)
{
    return std::ranges::any_of(labels_of(labels),
                               [labels](const auto& label) { return !only_member(labels, label.first); });
}

/// Says what of a rejected job can be said: members that are what they should be.
/// @param read_to_its_end  what is not there was not said, either.
rejection reject(fault why, json_value root, bool read_to_its_end)
{
    rejection rejected{why.reason, std::move(why.error), {}, {}, {}, {}, {}};
    if (!root.is(json_type::object))
        return rejected;
    rejected.id = name_in(root, "id");
    rejected.app = name_in(root, "app");
    rejected.kind = name_in(root, "kind");
    if (!root.find("recipients"))
        rejected.touser = name_in(only_member(root, "message"), "touser");
    const auto labels = only_member(root, "labels");
    if (!root.find("labels") && read_to_its_end)
        rejected.labels = domain::label_list{};
    else if (labels && !judge_labels(labels) && !repeats_a_label(labels))
        rejected.labels = labels_of(labels);
    return rejected;
}

/// The document that every job is read into. A job with recipients takes it along.
json_document& scratch_document()
{
    constexpr std::size_t kept = std::size_t{256} * 1024;
    thread_local json_document document;
    if (document.footprint() > kept)
        document = {};
    return document;
}

} // namespace

std::variant<decoded_job, rejection> decode_job(std::optional<std::string_view> value, const job_rules& rules,
                                                wall_time now)
{
    if (!value || value->empty())
        return reject(invalid(value ? "an empty value, expected a JSON object" : "no value, expected a JSON object"),
                      {}, false);
    auto& document = scratch_document();
    if (auto error = document.parse(*value, longest_job))
        return reject(invalid(std::move(*error)), document.root(), false);
    job_reader reader{document.root(), rules, now};
    if (auto found = reader.read())
        return reject(std::move(*found), document.root(), true);
    auto messages = reader.recipients().empty() ? make_message(reader, *value) : make_messages(document, reader.job());
    return decoded_job{reader.take_job(), std::move(messages)};
}

} // namespace wxcourier::codec
