// SPDX-License-Identifier: Apache-2.0
#include "dashboard/board_json.hpp"

#include "codec/utf8.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace wxcourier::dashboard {
namespace {

constexpr std::size_t longest_text = 300;

/// Writes JSON front to back; commas come by themselves.
class json_writer {
public:
    json_writer& name(std::string_view member)
    {
        separate();
        codec::append_clean_json_string(out_, member);
        out_ += ':';
        fresh_ = true;
        return *this;
    }
    void text(std::string_view value)
    {
        separate();
        codec::append_clean_json_string(out_, value, longest_text);
    }
    template <std::integral Number>
    void number(Number value)
    {
        separate();
        std::array<char, 24> digits{};
        const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
        out_.append(digits.begin(), end);
    }
    void boolean(bool value)
    {
        separate();
        out_ += value ? "true" : "false";
    }
    void null()
    {
        separate();
        out_ += "null";
    }
    void time(wall_time value)
    {
        if (value == wall_time{})
            null();
        else
            number(value.time_since_epoch().count());
    }
    /// Writes the brackets around what `inside` writes.
    template <typename Inside>
    void object(Inside&& inside)
    {
        around('{', '}', std::forward<Inside>(inside));
    }
    template <typename Inside>
    void array(Inside&& inside)
    {
        around('[', ']', std::forward<Inside>(inside));
    }
    template <typename Numbers>
    void numbers(const Numbers& values)
    {
        array([&] {
            for (const auto each : values)
                number(each);
        });
    }
    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    void separate()
    {
        if (!fresh_)
            out_ += ',';
        fresh_ = false;
    }
    template <typename Inside>
    void around(char open, char close, Inside&& inside)
    {
        separate();
        out_ += open;
        fresh_ = true;
        inside();
        out_ += close;
        fresh_ = false;
    }

    std::string out_;
    bool fresh_ = true;
};

void write_name(json_writer& json, std::string_view member, const std::string& value)
{
    json.name(member);
    value.empty() ? json.null() : json.text(value);
}

void write_record(json_writer& json, const kept_record& record, const series_table& table)
{
    const auto& series = table[record.series()];
    json.object([&] {
        json.name("at").time(record.at());
        json.name("state").text(to_string(series.state));
        json.name("id").text(record.id());
        write_name(json, "app", series.app);
        write_name(json, "kind", series.kind);
        if (!record.recipient().empty())
            json.name("to").text(record.recipient());
        if (record.recipient_tag() != 0)
            json.name("who").number(record.recipient_tag());
        if (!series.reason.empty())
            json.name("reason").text(series.reason);
        if (series.errcode)
            json.name("errcode").number(*series.errcode);
        if (!record.errmsg().empty() && series.errcode)
            json.name("errmsg").text(record.errmsg());
        if (!record.msgid().empty())
            json.name("msgid").text(record.msgid());
        json.name("attempts").number(record.attempts());
        json.name("enqueued").time(record.enqueued_at());
        if (record.latency() >= 0)
            json.name("latency").number(record.latency());
        if (record.retry_at() != wall_time{})
            json.name("retry").time(record.retry_at());
        json.name("source").text(record.source());
        json.name("worker").text(record.worker());
    });
}

void write_counts(json_writer& json, const state_counts& counts)
{
    json.object([&] {
        for (std::size_t state = 0; state < counts.size(); ++state)
            if (counts[state] > 0)
                json.name(to_string(static_cast<domain::job_state>(state))).number(counts[state]);
    });
}

void write_latency(json_writer& json, const latency_summary& latency)
{
    json.object([&] {
        json.name("count").number(latency.count);
        json.name("p50").number(latency.p50);
        json.name("p90").number(latency.p90);
        json.name("p99").number(latency.p99);
    });
}

void write_range(json_writer& json, const board_view& view)
{
    json.name("now").time(view.now);
    json.name("from").time(view.from);
    json.name("to").time(view.to);
    json.name("step").number(view.step.count());
    json.name("complete_from").time(view.complete_from.value_or(wall_time{}));
}

void write_columns(json_writer& json, const board_view& view)
{
    json.name("over_time").object([&] {
        for (std::size_t state = 0; state < view.over_time.size(); ++state)
            if (!view.over_time[state].empty())
                json.name(to_string(static_cast<domain::job_state>(state))).numbers(view.over_time[state]);
    });
    json.name("p50").numbers(view.p50);
    json.name("p99").numbers(view.p99);
}

void write_failure(json_writer& json, const failure_row& row, const series_table& series)
{
    json.object([&] {
        json.name("state").text(to_string(row.state));
        json.name("reason").text(row.reason);
        if (row.errcode)
            json.name("errcode").number(*row.errcode);
        json.name("count").number(row.count);
        json.name("first").time(row.first);
        json.name("last").time(row.last);
        json.name("apps").array([&] {
            for (const auto& each : row.apps)
                json.array([&json, &each] {
                    each.first.empty() ? json.null() : json.text(each.first);
                    json.number(each.second);
                });
        });
        json.name("more_apps").number(row.more_apps);
        json.name("over_time").numbers(row.over_time);
        json.name("examples").array([&] {
            for (const auto* each : row.examples)
                write_record(json, *each, series);
        });
    });
}

void write_waiting(json_writer& json, const waiting_row& row)
{
    json.object([&] {
        write_name(json, "app", row.app);
        write_name(json, "kind", row.kind);
        json.name("reason").text(row.reason);
        json.name("count").number(row.count);
        json.name("overdue").number(row.overdue);
        json.name("since").time(row.since);
        json.name("next").time(row.next);
        json.name("last").time(row.last);
    });
}

void write_tables(json_writer& json, const board_view& view, const series_table& series)
{
    json.name("groups").array([&] {
        for (const auto& row : view.groups)
            json.object([&] {
                write_name(json, "app", row.app);
                write_name(json, "kind", row.kind);
                json.name("counts");
                write_counts(json, row.counts);
                json.name("latency");
                write_latency(json, row.latency);
            });
    });
    json.name("failures").array([&] {
        for (const auto& row : view.failures)
            write_failure(json, row, series);
    });
    json.name("more_failures").number(view.more_failures);
    json.name("waiting").array([&] {
        for (const auto& row : view.waiting)
            write_waiting(json, row);
    });
    json.name("waiting_incomplete").boolean(view.waiting_incomplete);
    json.name("recent").array([&] {
        for (const auto* each : view.recent)
            write_record(json, *each, series);
    });
    json.name("workers").array([&] {
        for (const auto& row : view.workers)
            json.object([&] {
                json.name("name").text(row.name);
                json.name("last").time(row.last);
                json.name("count").number(row.count);
            });
    });
}

void write_choices(json_writer& json, std::string_view name, const std::vector<std::string>& words)
{
    json.name(name).array([&] {
        for (const auto& each : words)
            json.text(each);
    });
}

void write_feed(json_writer& json, const feed_state& feed)
{
    json.name("feed").object([&] {
        json.name("topic").text(feed.topic);
        json.name("version").text(feed.version);
        json.name("connected").boolean(feed.connected);
        json.name("trouble").text(feed.trouble);
        json.name("behind").number(feed.behind);
        json.name("history_from").time(feed.history_from.value_or(wall_time{}));
        json.name("reading").boolean(feed.history_reading);
        json.name("done").number(feed.history_done);
        json.name("total").number(feed.history_total);
    });
}

} // namespace

std::string to_json(const board_view& view, const series_table& series, const feed_state& feed)
{
    json_writer json;
    json.object([&] {
        write_range(json, view);
        json.name("totals");
        write_counts(json, view.totals);
        json.name("latency");
        write_latency(json, view.latency);
        write_columns(json, view);
        write_tables(json, view, series);
        write_choices(json, "apps", view.apps);
        write_choices(json, "kinds", view.kinds);
        json.name("read").number(view.read);
        json.name("unreadable").number(view.unreadable);
        json.name("newest").time(view.newest.value_or(wall_time{}));
        json.name("series_overflowed").boolean(view.series_overflowed);
        write_feed(json, feed);
    });
    return json.take();
}

std::string to_json(const std::vector<const kept_record*>& records, const series_table& series)
{
    json_writer json;
    json.array([&] {
        for (const auto* each : records)
            write_record(json, *each, series);
    });
    return json.take();
}

std::string json_string(std::string_view text)
{
    std::string out;
    codec::append_clean_json_string(out, text, longest_text);
    return out;
}

} // namespace wxcourier::dashboard
