/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/surveys/offer_gate.h"

static const struct {
        const char *word, *text;
} reasons[OFFER_REASONS_COUNT] = {[OFFER_YES] = {"", ""},
#define ROW(NAME, word, text) [OFFER_##NAME] = {word, text},
                                  OFFER_REASONS(ROW)
#undef ROW
};

const char *offer_reason_word(enum offer_reason reason)
{
        return reasons[reason].word;
}

const char *offer_reason_text(enum offer_reason reason)
{
        return reasons[reason].text;
}

static bool asks_by_itself(enum survey_cause cause)
{
        return cause == SURVEY_CAUSE_SOLVED || cause == SURVEY_CAUSE_CLOSED || cause == SURVEY_CAUSE_LATER;
}

/* What holds whoever asks, and may change until it is asked. */
static enum offer_reason always(const struct offer_facts *facts)
{
        bool is_case = facts->cause == SURVEY_CAUSE_CASE;
        if (facts->has_ticket && !facts->is_solved && !is_case)
                return OFFER_NOT_SOLVED;
        if (facts->is_gone)
                return OFFER_GONE;
        if (facts->is_blocked)
                return OFFER_BLOCKED;
        if (facts->is_removed || (!facts->is_enabled && asks_by_itself(facts->cause)))
                return OFFER_DISABLED;
        return facts->is_asked ? OFFER_ASKED_ALREADY : OFFER_YES;
}

/* What makes an answer worth having. */
static enum offer_reason worth(const struct offer_facts *facts)
{
        if (!facts->is_in_audience)
                return OFFER_AUDIENCE;
        if (!facts->has_person && !facts->asks_bot)
                return OFFER_NO_PERSON;
        if (facts->text < facts->min_text)
                return OFFER_TOO_SHORT;
        if (facts->max_age_ms > 0 && facts->now_ms - facts->last_ms > facts->max_age_ms)
                return OFFER_TOO_OLD;
        return OFFER_YES;
}

static bool was_asked_lately(const struct offer_facts *facts)
{
        return facts->asked_ms > 0 && facts->customer_interval_ms > 0 &&
               facts->now_ms - facts->asked_ms < facts->customer_interval_ms;
}

enum offer_reason offer_gate(const struct offer_facts *facts)
{
        bool is_automatic = asks_by_itself(facts->cause);
        enum offer_reason reason = always(facts);
        if (reason == OFFER_YES && !facts->is_due && (is_automatic || facts->cause == SURVEY_CAUSE_AUTOMATION))
                reason = worth(facts);
        if (reason == OFFER_YES && facts->cause != SURVEY_CAUSE_CASE && was_asked_lately(facts))
                reason = OFFER_ASKED_LATELY;
        if (reason == OFFER_YES && !facts->is_due && is_automatic && facts->draw >= facts->sample_percent)
                reason = OFFER_NOT_SAMPLED;
        return reason;
}

int offer_draw(uint64_t survey, uint64_t ticket, int64_t solving)
{
        uint64_t bits = survey * 0x9e3779b97f4a7c15u ^ ticket ^ (uint64_t)solving << 48;
        bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
        bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
        return (int)((bits ^ bits >> 31) % 100);
}
