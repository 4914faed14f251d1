/* SPDX-License-Identifier: Apache-2.0 */
/* bot.add, .list, .set and .remove: which apps have a bot, of which kind, and how it is set. Each change leaves a line
 * in the audit trail. What a bot says comes of its versions: bot_publish.c. */
#include "desk/bot_admin.h"

#include "desk/webhooks_private.h"

enum { LIST_MAX = 1000 };

/* ---- what the methods share ---- */

static void copy_text(char *out, size_t room, struct span text)
{
        size_t len = text.len < room ? text.len : room - 1;
        if (len > 0)
                memcpy(out, text.at, len);
        out[len] = '\0';
}

static void read_row(struct db_stmt *stmt, struct bot_row *out)
{
        struct span secret = db_blob(stmt, 8);
        *out = (struct bot_row){.id = db_int(stmt, 0),
                                .app = db_int(stmt, 1),
                                .kind = (enum bot_kind)db_int(stmt, 2),
                                .is_on = db_int(stmt, 3) != 0,
                                .is_offline = db_int(stmt, 4) != 0,
                                .holdout = (int)db_int(stmt, 5),
                                .timeout_ms = db_int(stmt, 9),
                                .live = db_int(stmt, 10),
                                .canary = db_int(stmt, 11),
                                .before = db_int(stmt, 12),
                                .canary_share = (int)db_int(stmt, 13)};
        copy_text(out->url, sizeof out->url, db_text(stmt, 6));
        copy_text(out->articles, sizeof out->articles, db_text(stmt, 7));
        if (secret.at && secret.len <= sizeof out->secret) {
                memcpy(out->secret, secret.at, secret.len);
                out->secret_len = secret.len;
        }
}

int bot_admin_find(struct desk *desk, struct principal_id who, struct bot_row *out_row)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_BY_PRINCIPAL);
        db_bind_int(stmt, 1, (int64_t)who.id);
        int rc = db_step(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_ROW && who.role == ROLE_BOT)
                read_row(stmt, out_row);
        db_reset(stmt);
        return rc == DB_ROW && who.role == ROLE_BOT ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

int bot_admin_run(struct desk *desk, struct db_stmt *stmt)
{
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        desk->bots.are_changed = true;
        return 0;
}

int bot_admin_audit(struct desk *desk, const char *action, struct principal_id bot, struct span detail)
{
        return operator_audit(desk, action, "bot", bot.id, detail);
}

/* ---- add ---- */

static bool is_web(struct span url)
{
        static const char *const begins[] = {"https://", "http://"};
        for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
                size_t len = strlen(begins[i]);
                if (url.len > len && memcmp(url.at, begins[i], len) == 0)
                        return !memchr(url.at, ' ', url.len) && !memchr(url.at, '#', url.len);
        }
        return false;
}

/* Where a bot may have a URL, it comes with a secret, so that its owner knows who posts. */
static int check_set(const struct bot_row *row, struct fault *fault)
{
        if (row->kind == BOT_WEBHOOK && !*row->url)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "url", "the URL that is asked");
        if (row->kind == BOT_PROGRAM && *row->url)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "url", "nothing: a program connects by itself");
        if (*row->url && row->secret_len == 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "secret", "what signs the posts to the URL");
        if (!*row->url && row->secret_len > 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "secret", "nothing without a URL");
        if (*row->articles && !is_web(span_of(row->articles)))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "articles", "an http or https URL");
        return 0;
}

static int set_url(const struct desk *desk, struct span url, struct bot_row *row, struct fault *fault)
{
        int rc = url.len > 0 ? webhooks_check_url(desk, url, fault) : 0;
        if (rc < 0)
                return rc;
        copy_text(row->url, sizeof row->url, url);
        if (url.len == 0)
                row->secret_len = 0;
        return 0;
}

static int set_secret(struct span text, struct bot_row *row, struct fault *fault)
{
        int len = webhooks_read_secret(text, row->secret, fault);
        row->secret_len = len > 0 ? (size_t)len : 0;
        return len < 0 ? len : 0;
}

static void bind_set(struct db_stmt *stmt, int url_at, int articles_at, int secret_at, const struct bot_row *row)
{
        db_bind_text(stmt, url_at, *row->url ? span_of(row->url) : (struct span){0});
        db_bind_text(stmt, articles_at, *row->articles ? span_of(row->articles) : (struct span){0});
        if (row->secret_len > 0)
                db_bind_blob(stmt, secret_at, row->secret, row->secret_len);
        else
                db_bind_null(stmt, secret_at);
}

/* CONFLICT when the app has a bot, or that principal is the bot of another one. */
static int look_for_clash(struct desk *desk, int64_t app, int64_t principal, struct fault *fault)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_CLASH);
        db_bind_int(stmt, 1, app);
        db_bind_int(stmt, 2, principal);
        int rc = db_step(stmt);
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_OK
                       ? 0
                       : fault_set(fault, PROTOCOL_ERR_CONFLICT, "app", "an app without a bot, and a name of its own");
}

static int insert(struct desk *desk, const struct bot_row *row, int64_t principal)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, row->app);
        db_bind_int(stmt, 3, principal);
        db_bind_int(stmt, 4, row->kind);
        bind_set(stmt, 5, 6, 7, row);
        db_bind_int(stmt, 8, row->timeout_ms);
        db_bind_int(stmt, 9, desk->now_ms);
        return bot_admin_run(desk, stmt);
}

int handle_bot_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_bot_add *params = command->params;
        struct protocol_bot_add_result result = {.bot.role = ROLE_BOT};
        struct bot_row row = {.kind = (enum bot_kind)params->kind, .timeout_ms = params->timeout_ms};
        int64_t principal = 0;
        int rc = operator_find_app(desk, params->app, &row.app);
        if (rc == 0 && params->has_url)
                rc = set_url(desk, params->url, &row, fault);
        if (rc == 0 && params->has_secret)
                rc = set_secret(params->secret, &row, fault);
        if (params->has_articles)
                copy_text(row.articles, sizeof row.articles, params->articles);
        if (rc == 0)
                rc = check_set(&row, fault);
        if (rc == 0)
                rc = access_find_bot(desk, params->name, &principal, &result.bot.id);
        if (rc == 0)
                rc = look_for_clash(desk, row.app, principal, fault);
        if (rc == 0)
                rc = insert(desk, &row, principal);
        if (rc < 0)
                return rc;
        protocol_bot_add_result_write(out, &result);
        return bot_admin_audit(desk, "bot.add", result.bot, params->name);
}

/* ---- list ---- */

static struct span keep_text(struct desk_command *command, struct span text)
{
        char *copy = text.len > 0 ? arena_take(&command->arena, text.len) : NULL;
        if (copy)
                memcpy(copy, text.at, text.len);
        return (struct span){copy, copy ? text.len : 0};
}

static bool read_hash(struct db_stmt *stmt, int column, uint8_t out[32])
{
        struct span hash = db_blob(stmt, column);
        if (!hash.at || hash.len != 32)
                return false;
        memcpy(out, hash.at, 32);
        return true;
}

static void describe(struct desk_command *command, struct db_stmt *stmt, struct protocol_bot_row *out)
{
        struct span url = db_text(stmt, 7), articles = db_text(stmt, 8);
        *out = (struct protocol_bot_row){.bot = {ROLE_BOT, (uint64_t)db_int(stmt, 0)},
                                         .app = (uint64_t)db_int(stmt, 2),
                                         .name = keep_text(command, db_text(stmt, 1)),
                                         .kind = (enum protocol_bot_row_kind)db_int(stmt, 3),
                                         .on = db_int(stmt, 4) != 0,
                                         .offline = db_int(stmt, 5) != 0,
                                         .holdout = db_int(stmt, 6),
                                         .has_url = url.len > 0,
                                         .url = keep_text(command, url),
                                         .has_articles = articles.len > 0,
                                         .articles = keep_text(command, articles),
                                         .has_timeout_ms = db_int(stmt, 9) > 0,
                                         .timeout_ms = db_int(stmt, 9),
                                         .versions = db_int(stmt, 14),
                                         .created = db_int(stmt, 15)};
        out->has_live = read_hash(stmt, 11, out->live);
        out->has_canary = read_hash(stmt, 12, out->canary);
        out->has_canary_share = out->has_canary;
        out->canary_share = db_int(stmt, 10);
        out->has_before = read_hash(stmt, 13, out->before);
}

int handle_bot_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        struct protocol_bot_list_result result = {0};
        result.bots = arena_take(&command->arena, LIST_MAX * sizeof *result.bots);
        if (!result.bots)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOTS_DESCRIBED);
        db_bind_int(stmt, 1, LIST_MAX);
        int rc = DB_OK;
        while (result.bots_count < LIST_MAX && (rc = db_step(stmt)) == DB_ROW)
                describe(command, stmt, &result.bots[result.bots_count++]);
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_bot_list_result_write(out, &result);
        return 0;
}

/* ---- set, remove ---- */

static int merge(const struct desk *desk, const struct protocol_bot_set *params, struct bot_row *row,
                 struct fault *fault)
{
        int rc = params->has_url ? set_url(desk, params->url, row, fault) : 0;
        if (rc == 0 && params->has_secret)
                rc = set_secret(params->secret, row, fault);
        if (params->has_articles)
                copy_text(row->articles, sizeof row->articles, params->articles);
        if (params->has_timeout_ms)
                row->timeout_ms = params->timeout_ms;
        if (params->has_on)
                row->is_on = params->on;
        if (params->has_offline)
                row->is_offline = params->offline;
        if (params->has_holdout)
                row->holdout = (int)params->holdout;
        return rc == 0 ? check_set(row, fault) : rc;
}

/* What was said, by name: values may be secret. */
static struct span what_was_said(const struct protocol_bot_set *params, char *room, size_t size)
{
        const struct {
                bool is_said;
                const char *name;
        } said[] = {{params->has_on, params->on ? "on" : "off"},
                    {params->has_offline, "offline"},
                    {params->has_holdout, "holdout"},
                    {params->has_url, "url"},
                    {params->has_secret, "secret"},
                    {params->has_articles, "articles"},
                    {params->has_timeout_ms, "timeout_ms"}};
        size_t len = 0;
        for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
                size_t more = strlen(said[i].name);
                if (!said[i].is_said || len + more + 1 > size)
                        continue;
                if (len > 0)
                        room[len++] = ' ';
                memcpy(room + len, said[i].name, more);
                len += more;
        }
        return (struct span){room, len};
}

int handle_bot_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_bot_set *params = command->params;
        struct bot_row row;
        char said[128];
        int rc = bot_admin_find(desk, params->bot, &row);
        if (rc == 0)
                rc = merge(desk, params, &row, fault);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_SET);
        db_bind_int(stmt, 1, row.id);
        db_bind_int(stmt, 2, row.is_on);
        db_bind_int(stmt, 3, row.is_offline);
        db_bind_int(stmt, 4, row.holdout);
        bind_set(stmt, 5, 6, 7, &row);
        db_bind_int(stmt, 8, row.timeout_ms);
        rc = bot_admin_run(desk, stmt);
        if (rc < 0)
                return rc;
        struct protocol_bot_set_result result = {0};
        protocol_bot_set_result_write(out, &result);
        return bot_admin_audit(desk, "bot.set", params->bot, what_was_said(params, said, sizeof said));
}

int handle_bot_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_bot_remove *params = command->params;
        struct bot_row row;
        int rc = bot_admin_find(desk, params->bot, &row);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_REMOVE);
        db_bind_int(stmt, 1, row.id);
        db_bind_int(stmt, 2, desk->now_ms);
        rc = bot_admin_run(desk, stmt);
        if (rc == 0) {
                stmt = db_stmt(desk->db, SQL_BOT_VERSIONS_EMPTY);
                db_bind_int(stmt, 1, row.id);
                db_bind_blob(stmt, 2, "", 0);
                rc = bot_admin_run(desk, stmt);
        }
        if (rc < 0)
                return rc;
        struct protocol_bot_remove_result result = {0};
        protocol_bot_remove_result_write(out, &result);
        return bot_admin_audit(desk, "bot.remove", params->bot, (struct span){0});
}
