/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.io.Closeable;
import java.util.ArrayList;
import java.util.List;

/**
 * One user of one app on this device. deskbell.h is the manual of what the functions do; here is only what is
 * different.
 *
 * Any thread, also inside a callback, but for close and logOut. A refused call throws DeskbellException, a call after
 * the end IllegalStateException, a call inside LogSink or Transport DeskbellException with WRONG_THREAD.
 *
 *     Client client = Client.builder().url("wss://support.example.com/v1/ws").app("app_0000000000000").token(token)
 *                     .dataDir(folder).listener(listener).open();
 *     Conversation conversation = client.openConversation("main");
 *     client.connect();
 *     conversation.send("Hello");
 */
public final class Client implements Closeable {
        private final Core core;

        Client(ClientBuilder options) {
                core = new Core(this, options);
                core.open();
                Reaper.watch(this, core);
                if (options.executor() != null)
                        Watcher.start(core, options.executor());
        }

        public static ClientBuilder builder() {
                return new ClientBuilder();
        }

        /** "0.1.0": the C library's. */
        public static String version() {
                return Native.version();
        }

        /**
         * Ends it; queued messages stay in the file. When it returns no callback runs any more, and what is owed an
         * answer had it, CANCELLED. Twice is once. WRONG_THREAD inside a callback: nothing was done; call mute there,
         * and close on another thread.
         */
        @Override
        public void close() {
                core.close();
        }

        /** From now on no callback begins. Cannot be undone; close is still owed. */
        public void mute() {
                core.call(Native::mute);
        }

        public void connect() {
                core.call(Native::connect);
        }

        public void disconnect() {
                core.call(Native::disconnect);
        }

        /** The device's network changed or came back. */
        public void networkChanged() {
                core.call(Native::networkChanged);
        }

        /** Nobody looks at the application, or somebody does again. */
        public void setBackground(boolean isBackground) {
                core.call(client -> Native.setBackground(client, isBackground));
        }

        public void setToken(String token) {
                byte[] in = Packer.of(token);
                core.call(client -> Native.setToken(client, in));
        }

        /** From now on the user's file opens with this key of 32 bytes. STATE: the file is not sealed. */
        public void changeStoreKey(byte[] newKey) {
                core.call(client -> Native.changeStoreKey(client, newKey));
        }

        /**
         * Ends the client and removes all of its user from this device; whether the server knows. UNSENT when messages
         * wait and `discard` is false, WRONG_THREAD inside a callback: then the client lives on. STORE: it is closed,
         * but something could not be removed.
         */
        public boolean logOut(boolean discard) {
                return core.logOut(discard);
        }

        /** `token` as the platform gave it; null: nowhere any more. */
        public void setPush(PushService service, String token) {
                byte[] in = Packer.of(token);
                core.call(client -> Native.setPush(client, service.getCode(), in));
        }

        /**
         * A notification came, about entry `seq` (0 = not known) of `conversationId` (null = not known). Whether that
         * is news: then Listener.onPushSettled is told once.
         */
        public boolean pushReceived(String conversationId, long seq) {
                byte[] in = Packer.of(conversationId);
                boolean[] isNews = new boolean[1];
                core.call(client -> Native.pushReceived(client, in, seq, isNews));
                return isNews[0];
        }

        /** Agents: whether customers may count on this agent. */
        public void setPresence(Availability availability) {
                core.call(client -> Native.setPresence(client, availability.getCode()));
        }

        /* ---- callbacks by dispatch ---- */

        /** A descriptor that is readable while callbacks wait; -1: not in this mode. */
        public int getFd() {
                int[] fd = new int[1];
                core.call(client -> {
                        fd[0] = Native.fd(client);
                        return 0;
                });
                return fd[0];
        }

        /**
         * Sleeps until callbacks wait, at most that long (-1 = no limit); whether some do. Returns early when the
         * client is closed meanwhile. STATE without callbacksByDispatch.
         */
        public boolean awaitCallbacks(int timeoutMs) {
                return core.call(client -> Native.await(client, timeoutMs)) > 0;
        }

        /**
         * Runs waiting callbacks on this thread, at most `max` (0 = all that wait now); how many ran. Throws the first
         * exception of a callback, after the others have run.
         */
        public int dispatch(int max) {
                return core.dispatch(max);
        }

        /** Whether this thread is inside a callback of this client, where waiting for another one would be for ever. */
        public boolean isInCallback() {
                return core.isInside(Core.Why.CALLBACK);
        }

        /* ---- conversations ---- */

        /** Customers: the conversation of that key; null = "main". */
        public Conversation openConversation(String key) {
                byte[] in = Packer.of(key);
                long[] out = new long[1];
                core.call(client -> Native.conversationOpen(client, in, out));
                return core.conversation(out[0]);
        }

        /** The same by id: for staff, and for conversations of the list. */
        public Conversation openConversationId(String id) {
                byte[] in = Packer.of(id);
                long[] out = new long[1];
                core.call(client -> Native.conversationOpenId(client, in, out));
                return core.conversation(out[0]);
        }

        /** All that are known, newest message first. */
        public List<ConversationInfo> getConversations() {
                byte[][] record = new byte[1][];
                int count = core.call(client -> Native.conversations(client, record));
                Unpacker in = new Unpacker(core, record[0]);
                List<ConversationInfo> all = new ArrayList<>(count);
                for (int i = 0; i < count; i++)
                        all.add(new ConversationInfo(in));
                in.end();
                return all;
        }

        /** Whether the conversation is one of this client. */
        public boolean owns(Conversation conversation) {
                return core.call(client -> Native.conversationIsOf(conversation.raw(), client) ? 1 : 0) > 0;
        }

        /* ---- messages ---- */

        /** A message id, for who must know it before the message can leave. */
        public String newCmid() {
                String[] cmid = new String[1];
                core.call(client -> {
                        cmid[0] = Native.cmidNew(client);
                        return 0;
                });
                return cmid[0];
        }

        /** Puts a FAILED or EXPIRED message back at the end of the queue; its cmid from now on. */
        public String retry(String cmid) {
                byte[] in = Packer.of(cmid);
                String[] out = new String[1];
                core.call(client -> Native.retry(client, in, out));
                return out[0];
        }

        /** Forgets a FAILED or EXPIRED message. */
        public void forget(String cmid) {
                byte[] in = Packer.of(cmid);
                core.call(client -> Native.forget(client, in));
        }

        public void pauseUpload(String cmid) {
                byte[] in = Packer.of(cmid);
                core.call(client -> Native.uploadPause(client, in));
        }

        public void resumeUpload(String cmid) {
                byte[] in = Packer.of(cmid);
                core.call(client -> Native.uploadResume(client, in));
        }

        public void cancelUpload(String cmid) {
                byte[] in = Packer.of(cmid);
                core.call(client -> Native.uploadCancel(client, in));
        }

        /**
         * Fetches a file of an entry to `path`; a number for cancelFetch. `progress` may be null, and is told nothing
         * after `done`.
         */
        public long fetchFile(Attachment file, String path, FetchProgress progress, Answer<Fetched> done) {
                byte[] in = new Packer().text(file.getId())
                                            .text(file.getName())
                                            .text(file.getMedia())
                                            .number(file.getSize())
                                            .number(file.getWidth())
                                            .number(file.getHeight())
                                            .raw(file.getSha256())
                                            .text(path)
                                            .bytes();
                long[] fetch = new long[1];
                long[] id = new long[1];
                core.callOwing(new Core.Owed() {
                        @Override
                        void answer(Unpacker from) {
                                done.onAnswer(new Fetched(from.number(), ErrorCode.of(from.number()), from.text()));
                        }

                        @Override
                        void cancel() {
                                done.onAnswer(new Fetched(fetch[0], ErrorCode.CANCELLED, path));
                        }

                        @Override
                        void progress(long received, long total) {
                                progress.onProgress(received, total);
                        }
                }, id, client -> Native.fetchFile(client, in, id[0], progress != null, fetch));
                return fetch[0];
        }

        /** `done` is told CANCELLED; the part stays. */
        public void cancelFetch(long fetch) {
                core.call(client -> Native.cancelFetch(client, fetch));
        }

        public void search(String query, SearchOptions options, Answer<SearchPage> answer) {
                Packer in = new Packer().text(query, ErrorCode.TEXT);
                options.pack(in);
                byte[] packed = in.bytes();
                long[] id = new long[1];
                core.callOwing(new Core.Owed() {
                        @Override
                        void answer(Unpacker from) {
                                SearchPage page = new SearchPage(from);
                                from.end();
                                answer.onAnswer(page);
                        }

                        @Override
                        void cancel() {
                                answer.onAnswer(new SearchPage(ErrorCode.CANCELLED));
                        }
                }, id, client -> Native.search(client, packed, id[0]));
        }

        public void search(String query, Answer<SearchPage> answer) {
                search(query, new SearchOptions(), answer);
        }

        public Status getStatus() {
                byte[][] record = new byte[1][];
                core.call(client -> Native.status(client, record));
                return new Status(new Unpacker(core, record[0]));
        }
}
