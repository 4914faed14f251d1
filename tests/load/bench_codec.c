/* SPDX-License-Identifier: Apache-2.0 */
/* Bench of the codec: nanoseconds a call of what happens for every message. Prints one line each; counts processor time
 * and takes the best of several rounds, so that another program on the machine disturbs little. Not a test: it never
 * fails. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "protocol/frame.h"
#include "protocol/hot.h"

enum { CALLS = 200000, ROUNDS = 7 };

static const char korean_send[] =
        "{\"jsonrpc\":\"2.0\",\"id\":17,\"method\":\"message.send\",\"params\":{"
        "\"cmid\":\"01890a5d2c4f7000a123456789abcdef\",\"conv\":\"cnv_0123456789abc\",\"kind\":\"text\","
        "\"text\":\"안녕하세요, 주문한 물건이 아직 오지 않았어요\"}}";
static const char plain_send[] =
        "{\"jsonrpc\":\"2.0\",\"id\":17,\"method\":\"message.send\",\"params\":{"
        "\"cmid\":\"01890a5d2c4f7000a123456789abcdef\",\"conv\":\"cnv_0123456789abc\",\"kind\":\"text\","
        "\"text\":\"Hello, my parcel did not arrive yet\"}}";
static const char stored[] = "{\"text\":\"Hello, my parcel did not arrive yet, could you have a look?\"}";

static volatile uint64_t sink; /* keeps the compiler from dropping the work */

static struct entry_head sample_entry(const struct cmid *cmid)
{
        return (struct entry_head){
                .conv = 0x0123456789abcdef,
                .number = 123456,
                .ts = 1790000000123,
                .author = {ROLE_AGENT, 0x0fedcba987654321},
                .name = SPAN("Mina"),
                .cmid = cmid,
                .kind = PROTOCOL_ENTRY_TEXT,
                .version = 1,
                .content = SPAN(stored),
        };
}

static void entry_event(void)
{
        static const struct cmid cmid = {{1, 2, 3}};
        struct entry_head entry = sample_entry(&cmid);
        struct writer writer;
        char room[1024];

        writer_init(&writer, room, sizeof(room));
        hot_entry_event(&writer, &entry);
        sink += writer.len;
        writer_done(&writer);
}

static void send_result(void)
{
        static const struct request_id id = {2, "17"};
        struct writer writer;
        char room[1024];

        writer_init(&writer, room, sizeof(room));
        hot_send_result(&writer, &id, 0, false, 123456, 0, 1790000000123, false);
        sink += writer.len;
        writer_done(&writer);
}

static void heartbeat(void)
{
        struct writer writer;
        char room[1024];

        writer_init(&writer, room, sizeof(room));
        hot_heartbeat(&writer, 987654321, 1790000000123);
        sink += writer.len;
        writer_done(&writer);
}

/* Envelope, method, params: what a net thread does with one frame. */
static void decode(const char *text, size_t len)
{
        struct protocol_message_send params;
        char bytes[1024], room[4096];
        struct fault fault = {0};
        struct arena arena;
        struct frame frame;
        struct reader reader;

        memcpy(bytes, text, len);
        arena_init(&arena, room, sizeof(room));
        if (frame_read(bytes, len, READER_STRICT, &arena, &frame, &fault) < 0)
                abort();
        if (protocol_method_find(frame.name) != PROTOCOL_M_MESSAGE_SEND)
                abort();
        reader_init(&reader, (char *)frame.body.at, frame.body.len, READER_STRICT, &arena, &fault);
        if (protocol_message_send_read(&reader, &params) < 0)
                abort();
        sink += params.conv;
        arena_done(&arena);
}

static void decode_plain(void)
{
        decode(plain_send, sizeof(plain_send) - 1);
}

static void decode_korean(void)
{
        decode(korean_send, sizeof(korean_send) - 1);
}

static void store_and_hash(void)
{
        struct protocol_content content = {.has_text = true, .text = SPAN("Hello, my parcel did not arrive yet")};
        struct writer writer;
        uint8_t hash[16];
        char room[1024];

        writer_init(&writer, room, sizeof(room));
        content_store(&writer, &content);
        content_hash(PROTOCOL_ENTRY_TEXT, (struct span){writer.bytes, writer.len}, hash);
        sink += hash[0];
        writer_done(&writer);
}

static double cpu_seconds(void)
{
        struct timespec now;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void measure(const char *name, void (*work)(void))
{
        double best = 1e9;

        for (int round = 0; round < ROUNDS; round++) {
                double start = cpu_seconds();

                for (int i = 0; i < CALLS; i++)
                        work();
                double spent = cpu_seconds() - start;

                if (spent < best)
                        best = spent;
        }
        printf("%-44s %7.1f ns\n", name, best / CALLS * 1e9);
}

int main(void)
{
        char name[64];

        measure("hot_entry_event", entry_event);
        measure("hot_send_result", send_result);
        measure("hot_heartbeat", heartbeat);
        snprintf(name, sizeof(name), "decode message.send, %zu bytes", sizeof(plain_send) - 1);
        measure(name, decode_plain);
        snprintf(name, sizeof(name), "decode message.send, %zu bytes, Korean", sizeof(korean_send) - 1);
        measure(name, decode_korean);
        measure("content_store and content_hash", store_and_hash);
        return 0;
}
