/* SPDX-License-Identifier: Apache-2.0 */
/* Answers, the fetching: which version this device holds, and getting the newer one. Asked for in a session that has
 * caught up, behind everything else, at most once a day unless a fetch is under way; a lost connection or a restart
 * costs at most one piece. The old version serves until the new one is whole. What a server says is data: sizes are
 * bounded, small pieces and versions that change all the time are not followed. */
#include "machine_private.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_ROOM = 64 };

/* ---- in the file ---------------------------------------------------------------------------------------------------
 */

static void piece_name(char out[NAME_ROOM], const uint8_t version[ANSWERS_VERSION], int64_t piece)
{
        char hex[17];

        for (int i = 0; i < 8; i++)
                snprintf(hex + 2 * i, 3, "%02x", version[i]);
        snprintf(out, NAME_ROOM, "answers.%s.%lld", hex, (long long)piece);
}

static void save(struct machine *machine)
{
        cache_value_set(machine->cache, "answers", &machine->answers.at, sizeof(machine->answers.at));
}

static void drop_version(struct machine *machine, struct fetched_version *version)
{
        char name[NAME_ROOM];

        for (int64_t i = 0; i < version->pieces; i++) {
                piece_name(name, version->name, i);
                cache_value_drop(machine->cache, name);
        }
        *version = (struct fetched_version){0};
}

static bool is_sound(const struct fetched_version *version)
{
        return version->size >= 0 && version->size <= PROTOCOL_OFFLINE_BYTES && version->offset >= 0 &&
               version->offset <= version->size && version->pieces >= 0 &&
               version->pieces <= PROTOCOL_OFFLINE_BYTES / ANSWERS_PIECE_LEAST + 1;
}

void answers_load(struct machine *machine)
{
        struct answers_record *at = &machine->answers.at;

        if (!machine->set.has_answers)
                return;
        size_t len = cache_value_get(machine->cache, "answers", at, sizeof(*at));
        if (len != sizeof(*at) || !is_sound(&at->whole) || !is_sound(&at->begun) || at->whole.offset != at->whole.size)
                memset(at, 0, sizeof(*at));
        if (memcmp(at->table, machine->set.answers_table, sizeof(at->table)) != 0) {
                /* What one table could not use, another one perhaps can. */
                memcpy(at->table, machine->set.answers_table, sizeof(at->table));
                at->bad_count = at->asked_ms = 0;
        }
        answers_load_kept(machine);
}

char *answers_bytes(struct machine *machine, size_t *out_len)
{
        const struct fetched_version *whole = &machine->answers.at.whole;
        size_t have = 0, size = (size_t)whole->size;
        char name[NAME_ROOM], *bytes = malloc(size);

        for (int64_t i = 0; bytes && i < whole->pieces; i++) {
                piece_name(name, whole->name, i);
                size_t len = cache_value_get(machine->cache, name, bytes + have, size - have);
                have = len <= size - have ? have + len : size + 1;
                if (!len || have > size)
                        break;
        }
        *out_len = have <= size ? have : 0;
        return bytes;
}

int64_t answers_used_bytes(const struct machine *machine)
{
        return machine->answers.at.whole.size + machine->answers.at.begun.offset;
}

/* ---- asking --------------------------------------------------------------------------------------------------------
 */

void answers_begin(struct machine *machine)
{
        struct answers *answers = &machine->answers;

        answers->is_asked = answers->is_settled = false;
        answers->setbacks = 0;
        answers_back(machine);
}

/* Nothing is asked any more before tomorrow. */
static void settle(struct machine *machine)
{
        machine->answers.is_settled = true;
        machine->answers.failures = 0;
        machine->answers.at.asked_ms = machine_true_wall(machine);
        save(machine);
}

static bool is_due(const struct machine *machine)
{
        const struct answers *answers = &machine->answers;
        int64_t since_ms = machine_true_wall(machine) - answers->at.asked_ms;

        if (answers->is_settled && since_ms < DAY_MS)
                return false;
        return answers->at.begun.size || since_ms >= DAY_MS || since_ms < -DAY_MS;
}

void answers_pump(struct machine *machine)
{
        struct answers *answers = &machine->answers;
        const struct answers_record *at = &answers->at;
        struct protocol_bot_offline params = {.offset = at->begun.offset};
        bool is_bad = at->bad_count > 1 && !at->whole.size;
        struct writer writer;

        if (!machine->set.has_answers || answers->is_asked || answers->hold_until_ms > machine->now_ms ||
            machine->background.is_on || machine->out_first || !sync_is_caught_up(machine) || !is_due(machine) ||
            !machine_may_ask(machine) ||
            !machine_request_begin(machine, &writer, REQUEST_ANSWERS, PROTOCOL_N_BOT_OFFLINE))
                return;
        answers->is_asked = true;
        params.has_have = at->whole.size || is_bad;
        memcpy(params.have, is_bad ? at->bad : at->whole.name, sizeof(params.have));
        params.has_part_of = params.has_offset = at->begun.size != 0;
        memcpy(params.part_of, at->begun.name, sizeof(params.part_of));
        protocol_bot_offline_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

int64_t answers_next_ms(const struct machine *machine)
{
        const struct answers *answers = &machine->answers;
        int64_t next = INT64_MAX;

        if (!machine->set.has_answers)
                return next;
        if (machine->state == SESSION_OPEN && !answers->is_asked && answers->hold_until_ms > machine->now_ms &&
            is_due(machine))
                next = answers->hold_until_ms;
        int64_t asked = answers_question_ms(machine);
        return asked < next ? asked : next;
}

void answers_refused(struct machine *machine, const struct protocol_error_body *error)
{
        struct answers *answers = &machine->answers;

        answers->is_asked = false;
        if (error->permanent)
                settle(machine); /* an older server knows no such thing */
        else
                answers->hold_until_ms =
                        machine->now_ms + machine_pause_ms(machine, &answers->failures, error->retry_after_ms);
}

/* ---- what came -----------------------------------------------------------------------------------------------------
 */

static void finish(struct machine *machine)
{
        struct answers_record *at = &machine->answers.at;

        answers_unload(machine);
        drop_version(machine, &at->whole);
        at->whole = at->begun;
        at->begun = (struct fetched_version){0};
        settle(machine);
}

/* The piece that follows; false: what was said cannot be. */
static bool take_piece(struct machine *machine, const struct protocol_bot_offline_result *result)
{
        struct fetched_version *begun = &machine->answers.at.begun;
        unsigned char bytes[ANSWERS_PIECE + 3];
        char name[NAME_ROOM];

        if (result->part.len % 4 != 0 || result->part.len / 4 * 3 > sizeof(bytes))
                return false;
        int len = EVP_DecodeBlock(bytes, (const unsigned char *)result->part.at, (int)result->part.len);
        if (len < 0 || result->part.len < 4)
                return false;
        len -= (result->part.at[result->part.len - 1] == '=') + (result->part.at[result->part.len - 2] == '=');
        int64_t end = begun->offset + len;
        if (len <= 0 || len > ANSWERS_PIECE || end > begun->size || (len < ANSWERS_PIECE_LEAST && end < begun->size))
                return false;
        piece_name(name, begun->name, begun->pieces);
        cache_value_set(machine->cache, name, bytes, (size_t)len);
        begun->pieces++;
        begun->offset = end;
        save(machine);
        return true;
}

/* Pieces of another version than was begun. False: it changes too often. */
static bool begin_version(struct machine *machine, const struct protocol_bot_offline_result *result)
{
        struct answers_record *at = &machine->answers.at;
        bool is_whole = at->whole.size && memcmp(at->whole.name, result->version, ANSWERS_VERSION) == 0;

        if (is_whole || (at->begun.size && ++machine->answers.setbacks > ANSWERS_SETBACKS))
                return false;
        drop_version(machine, &at->begun);
        at->begun.size = result->size;
        memcpy(at->begun.name, result->version, ANSWERS_VERSION);
        return true;
}

static bool take_part(struct machine *machine, const struct protocol_bot_offline_result *result)
{
        struct fetched_version *begun = &machine->answers.at.begun;

        if (!result->has_size || !result->has_offset)
                return false;
        bool follows = begun->size && memcmp(begun->name, result->version, ANSWERS_VERSION) == 0 &&
                       begun->offset == result->offset && begun->size == result->size;
        if (!follows && (result->offset != 0 || !begin_version(machine, result)))
                return false;
        return take_piece(machine, result);
}

void answers_answered(struct machine *machine, struct reader *reader)
{
        struct answers *answers = &machine->answers;
        struct protocol_bot_offline_result result;

        answers->is_asked = false;
        answers->failures = 0;
        bool is_read = protocol_bot_offline_result_read(reader, &result) == 0;
        if (is_read && result.has_version && result.has_part && take_part(machine, &result)) {
                if (answers->at.begun.offset == answers->at.begun.size)
                        finish(machine);
                return;
        }
        drop_version(machine, &answers->at.begun); /* not wanted any more, or of no use */
        if (is_read && !result.has_version) {
                answers_unload(machine);
                drop_version(machine, &answers->at.whole);
        }
        settle(machine);
}

void answers_unusable(struct machine *machine, const uint8_t version[ANSWERS_VERSION])
{
        struct answers_record *at = &machine->answers.at;
        bool is_again = at->bad_count > 0 && memcmp(at->bad, version, ANSWERS_VERSION) == 0;

        if (!at->whole.size || memcmp(at->whole.name, version, ANSWERS_VERSION) != 0)
                return;
        machine_log(machine, DESKBELL_LOG_WARN, "answers: the version that is here cannot be used");
        drop_version(machine, &at->whole);
        memcpy(at->bad, version, ANSWERS_VERSION);
        at->bad_count = is_again ? at->bad_count + 1 : 1;
        if (!is_again)
                at->asked_ms = 0; /* it may have been damaged here: once more */
        save(machine);
}
