/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/**
 * A conversation of a client, which it keeps from being collected: the same object for the same conversation, as long
 * as somebody holds it. Any thread; after the client's end every call throws IllegalStateException.
 */
public final class Conversation {
        private final Client client;
        private final Core core;
        private final long raw;

        Conversation(Client client, Core core, long raw) {
                this.client = client;
                this.core = core;
                this.raw = raw;
        }

        long raw() {
                return raw;
        }

        public Client getClient() {
                return client;
        }

        /** "cnv_...", or "" while the server has not made it. */
        public String getId() {
                String[] id = new String[1];
                core.call(unused -> {
                        id[0] = Native.conversationId(raw);
                        return 0;
                });
                return id[0];
        }

        /** No more entries of it; it may be opened again. */
        public void close() {
                core.call(unused -> Native.conversationClose(raw));
        }

        /** Sends a text, without waiting for disk or network; its cmid. Listener.onMessage tells what becomes of it. */
        public String send(String text) {
                return send(text, new SendOptions());
        }

        public String send(String text, SendOptions options) {
                Packer in = new Packer().text(text, ErrorCode.TEXT);
                options.pack(in);
                byte[] packed = in.bytes();
                String[] cmid = new String[1];
                core.call(unused -> Native.send(raw, packed, cmid));
                return cmid[0];
        }

        /** Sends a new text for an own message; `version` is the one the user saw. The edit's cmid. */
        public String edit(long number, long version, String text) {
                return edit(number, version, text, new SendOptions());
        }

        /** Of the options only log, cmid and waitForDisk mean something. */
        public String edit(long number, long version, String text, SendOptions options) {
                Packer in = new Packer().number(number).number(version).text(text, ErrorCode.TEXT);
                options.pack(in);
                byte[] packed = in.bytes();
                String[] cmid = new String[1];
                core.call(unused -> Native.edit(raw, packed, cmid));
                return cmid[0];
        }

        /** Sends the erasure of an own message; its cmid. */
        public String erase(long number) {
                return erase(number, new SendOptions());
        }

        /** Of the options only log, cmid and waitForDisk mean something. */
        public String erase(long number, SendOptions options) {
                Packer in = new Packer().number(number);
                options.pack(in);
                byte[] packed = in.bytes();
                String[] cmid = new String[1];
                core.call(unused -> Native.erase(raw, packed, cmid));
                return cmid[0];
        }

        /** Sends a message with files; its cmid. */
        public String sendFile(FileOptions options) {
                Packer in = new Packer();
                options.pack(in);
                byte[] packed = in.bytes();
                Object[] bytes = options.bytes();
                String[] cmid = new String[1];
                core.call(unused -> Native.sendFile(raw, packed, bytes, cmid));
                return cmid[0];
        }

        public String sendFile(FileSource file) {
                return sendFile(new FileOptions().file(file));
        }

        /** Answers survey `number`, or adds to its answer; its cmid. */
        public String answer(long number, Rating rating) {
                Packer in = new Packer().number(number);
                rating.pack(in);
                byte[] packed = in.bytes();
                String[] cmid = new String[1];
                core.call(unused -> Native.surveyAnswer(raw, packed, cmid));
                return cmid[0];
        }

        /** The user has read the public log up to `seq`. */
        public void markRead(long seq) {
                core.call(unused -> Native.markRead(raw, seq));
        }

        /** The user is writing: call it on each key. */
        public void typing() {
                core.call(unused -> Native.typing(raw));
        }

        /** With manualAck: the application is done with all entries of that log up to `number`. */
        public void entryDone(EntryLog log, long number) {
                core.call(unused -> Native.entryDone(raw, log.getCode(), number));
        }

        /** A page of it: from the cache where it holds the page, else from the server. */
        public void history(HistoryOptions options, Answer<HistoryPage> answer) {
                Packer in = new Packer();
                options.pack(in);
                byte[] packed = in.bytes();
                long[] id = new long[1];
                core.callOwing(new Core.Owed() {
                        @Override
                        void answer(Unpacker from) {
                                HistoryPage page = new HistoryPage(from);
                                from.end();
                                answer.onAnswer(page);
                        }

                        @Override
                        void cancel() {
                                answer.onAnswer(new HistoryPage(ErrorCode.CANCELLED));
                        }
                }, id, bridge -> Native.history(raw, bridge, packed, id[0]));
        }
}
