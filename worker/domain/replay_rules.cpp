// SPDX-License-Identifier: Apache-2.0
#include "domain/replay_rules.hpp"

#include "domain/reasons.hpp"

#include <algorithm>

namespace wxcourier::domain {
namespace {

bool names(const letter_filter& filter, std::string_view reason)
{
    return std::find(filter.reasons.begin(), filter.reasons.end(), reason) != filter.reasons.end();
}

bool differs(const std::optional<std::string>& wanted, const std::optional<std::string>& is)
{
    return wanted && wanted != is;
}

} // namespace

std::string_view describe(letter_verdict verdict) noexcept
{
    switch (verdict) {
    case letter_verdict::replayed:
        return "replayed already";
    case letter_verdict::repeated:
        return "repeats of another letter";
    case letter_verdict::unknown_outcome:
        return "may have arrived (name them: --reason outcome_unknown)";
    case letter_verdict::too_often:
        return "replayed too often already (--max-replays)";
    case letter_verdict::gone:
        return "cut short, and the original is gone";
    case letter_verdict::still_bad:
        return "would be rejected again";
    case letter_verdict::chosen:
    case letter_verdict::not_wanted:
        break;
    }
    return {};
}

letter_verdict judge(const letter_facts& letter, const letter_filter& filter)
{
    const bool unknown = letter.unknown_outcome || letter.reason == reason::outcome_unknown;
    const bool unknown_named = names(filter, reason::outcome_unknown);
    const bool reason_wanted = filter.reasons.empty() || names(filter, letter.reason) || (unknown && unknown_named);
    if (!reason_wanted || (filter.state && filter.state != letter.state) ||
        (filter.since && letter.at < *filter.since) || (filter.until && letter.at >= *filter.until))
        return letter_verdict::not_wanted;
    if (letter.replayed)
        return letter_verdict::replayed;
    if (letter.repeated)
        return letter_verdict::repeated;
    if (unknown && !unknown_named)
        return letter_verdict::unknown_outcome;
    if (letter.replays >= filter.most_replays)
        return letter_verdict::too_often;
    return letter_verdict::chosen;
}

letter_verdict judge(const letter_job& job, const letter_filter& filter)
{
    if (job.gone)
        return letter_verdict::gone;
    if (differs(filter.app, job.app) || differs(filter.kind, job.kind) || differs(filter.id, job.id))
        return letter_verdict::not_wanted;
    return job.still_bad ? letter_verdict::still_bad : letter_verdict::chosen;
}

} // namespace wxcourier::domain
