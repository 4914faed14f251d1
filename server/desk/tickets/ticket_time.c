/* SPDX-License-Identifier: Apache-2.0 */
/* What time does to tickets: an open one whose customer is silent waits, is asked about, and is solved; a solved one is
 * closed; a snoozed one wakes. All of it follows from what is stored, so a restart forgets nothing. */
#include "desk/tickets/ticket_private.h"

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

static const struct {
        const char *name; /* in `meta` */
        size_t offset;
        int64_t first_ms;
} settings[] = {
        {"ticket_idle_ms", offsetof(struct ticket_settings, idle_ms), HOUR_MS},
        {"ticket_remind_ms", offsetof(struct ticket_settings, remind_ms), 2 * (int64_t)DAY_MS},
        {"ticket_silent_ms", offsetof(struct ticket_settings, silent_ms), 2 * (int64_t)DAY_MS},
        {"ticket_close_ms", offsetof(struct ticket_settings, close_ms), 4 * (int64_t)DAY_MS},
        {"ticket_bot_silent_ms", offsetof(struct ticket_settings, bot_silent_ms), 3 * (int64_t)DAY_MS},
};

int ticket_settings_load(struct desk *desk)
{
        struct ticket_settings fresh;
        for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
                int64_t value = settings[i].first_ms;
                int rc = meta_get_int(desk->db, settings[i].name, &value);
                if (rc < 0)
                        return rc;
                memcpy((char *)&fresh + settings[i].offset, &value, sizeof value);
        }
        desk->tickets.settings = fresh;
        desk->tickets.are_settings_changed = false;
        return DB_OK;
}

/* ---- when ---- */

static int64_t later(int64_t a, int64_t b)
{
        return a > b ? a : b;
}

static int64_t after(int64_t since_ms, int64_t wait_ms)
{
        return wait_ms > 0 ? since_ms + wait_ms : INT64_MAX;
}

int64_t ticket_next_ms(const struct ticket_settings *set, const struct ticket *ticket)
{
        int64_t quiet_ms = later(ticket->status_ms, ticket->last_ms);
        bool is_ours = ticket->customer_ms == 0 && ticket->last_ms > 0; /* never idle when the customer spoke last */
        if (ticket->status == TICKET_SNOOZED)
                return ticket->snooze_until_ms > 0 ? ticket->snooze_until_ms : INT64_MAX;
        if (ticket->is_exempt)
                return INT64_MAX;
        switch (ticket->status) {
        case TICKET_OPEN:
                return is_ours ? after(quiet_ms, set->idle_ms) : INT64_MAX;
        case TICKET_WAITING:
                if (set->remind_ms > 0 && ticket->reminded_ms == 0)
                        return after(ticket->status_ms, set->remind_ms);
                return after(later(ticket->reminded_ms, ticket->status_ms), set->silent_ms);
        case TICKET_BOT:
                return after(quiet_ms, set->bot_silent_ms);
        case TICKET_SOLVED:
                return after(ticket->last_solved_ms, set->close_ms);
        default:
                return INT64_MAX;
        }
}

/* ---- what ---- */

static struct span reminder_in(const char *lang)
{
        static const char *const texts[TICKET_LANGUAGES] = {
                "We are still waiting for your answer. If we do not hear from you, we will take it that all is well.",
                "아직 답변을 기다리고 있어요. 연락이 없으시면 해결된 것으로 알고 마무리할게요.",
                "我们仍在等待您的回复。如果没有收到您的消息，我们会认为问题已经解决。",
                "ご返信をお待ちしています。ご連絡がない場合は、解決したものとさせていただきます。",
        };
        return span_of(texts[ticket_language_of(lang)]);
}

static int remind(struct desk *desk, struct ticket *ticket)
{
        static const struct ticket_by by = {.why = "the customer is silent"};
        struct conversation *conversation = NULL;
        int rc = ticket_conversation(desk, ticket, &conversation);
        if (rc < 0)
                return rc;
        struct span text = reminder_in(ticket->lang);
        struct protocol_content content = {
                .has_text = true, .text = text, .has_fallback_text = true, .fallback_text = text};
        struct writer body;
        char first[1024];
        writer_init(&body, first, sizeof first);
        content_store(&body, &content);
        struct entry_row entry = {.log = LOG_PUBLIC, .kind = PROTOCOL_ENTRY_SYSTEM, .body = {body.bytes, body.len}};
        rc = body.failed ? desk_db_failed(desk, DB_NOMEM) : entry_add(desk, conversation, &entry, &content, ROLE_NONE);
        writer_done(&body);
        if (rc < 0)
                return rc;
        ticket->last_ms = conversation->row.last_ts;
        ticket->reminded_ms = desk->now_ms;
        ticket_changed(desk, ticket);
        return ticket_note(desk, ticket, &by, "reminded", SPAN("reminded (the customer is silent)"));
}

int ticket_run_time(struct desk *desk, struct ticket *ticket)
{
        static const struct ticket_by silent = {.why = "the customer is silent"}, woken = {.why = "its time has come"},
                                      old = {.why = "it has been solved for long"};
        const struct ticket_settings *set = &desk->tickets.settings;
        if (ticket_next_ms(set, ticket) > desk->now_ms)
                return 0;
        switch (ticket->status) {
        case TICKET_SNOOZED:
                return ticket_happens(desk, ticket, &woken, TICKET_EVENT_WAKE);
        case TICKET_OPEN:
                return ticket_happens(desk, ticket, &silent, TICKET_EVENT_WAIT);
        case TICKET_WAITING:
                if (set->remind_ms > 0 && ticket->reminded_ms == 0)
                        return remind(desk, ticket);
                return ticket_happens(desk, ticket, &silent, TICKET_EVENT_SILENCE);
        case TICKET_BOT:
                return ticket_happens(desk, ticket, &silent, TICKET_EVENT_BOT_SOLVE);
        case TICKET_SOLVED:
                return ticket_happens(desk, ticket, &old, TICKET_EVENT_EXPIRE);
        default:
                return 0;
        }
}
