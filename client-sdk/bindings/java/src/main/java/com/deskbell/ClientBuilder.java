/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executor;

/** How a client is opened: struct deskbell_options. What is not set is as there. Not for use by several threads. */
public final class ClientBuilder implements Cloneable {
        private String url;
        private String app;
        private String dataDir;
        private String token;
        private boolean isVisitor;
        private String agentToken;
        private String user;
        private String locale;
        private String clientName;
        private String clientVersion;
        private boolean callbacksByDispatch;
        private boolean manualAck;
        private int firstPage = 50;
        private int snapshot = 50;
        private boolean withTeamLog = true;
        private String caFile;
        private boolean claimsVisitor;
        private long cacheMaxBytes;
        private int cacheMaxEntriesPerConversation;
        private List<String> tlsPins = new ArrayList<>();
        private String proxy;
        private byte[] storeKey = new byte[0];
        private String answers;
        private Transport transport;
        private Listener listener;
        private TokenSource tokenSource;
        private LogSink log;
        private Thread.UncaughtExceptionHandler uncaught;
        private Executor executor;

        ClientBuilder() {
        }

        /** Opens the user's file and starts the client's thread; no connection yet. DeskbellException when refused. */
        public Client open() {
                try {
                        return new Client((ClientBuilder) clone());
                } catch (CloneNotSupportedException e) {
                        throw new AssertionError(e);
                } finally {
                        Arrays.fill(storeKey, (byte) 0);
                        storeKey = new byte[0];
                }
        }

        /** "wss://HOST:PORT/v1/ws"; the path may be left out. */
        public ClientBuilder url(String value) {
                url = value;
                return this;
        }

        /** "app_...". */
        public ClientBuilder app(String value) {
                app = value;
                return this;
        }

        /** Folder for this app's files, made when missing; without it all is in memory, for tests. */
        public ClientBuilder dataDir(String value) {
                dataDir = value;
                return this;
        }

        /** User token signed by the application's back end. */
        public ClientBuilder token(String value) {
                token = value;
                return this;
        }

        /** Is asked for a token: at once when there is none, and when one was refused. */
        public ClientBuilder tokenSource(TokenSource value) {
                tokenSource = value;
                return this;
        }

        /** A visitor without a token. */
        public ClientBuilder visitor() {
                isVisitor = true;
                return this;
        }

        /** Session token of an agent, or a bot's key. */
        public ClientBuilder agentToken(String value) {
                agentToken = value;
                return this;
        }

        /** Names the file: the application's own id of the user. */
        public ClientBuilder user(String value) {
                user = value;
                return this;
        }

        /** BCP 47 tag. */
        public ClientBuilder locale(String value) {
                locale = value;
                return this;
        }

        /** For the operator's logs. */
        public ClientBuilder clientName(String value) {
                clientName = value;
                return this;
        }

        public ClientBuilder clientVersion(String value) {
                clientVersion = value;
                return this;
        }

        /** Callbacks run in Client.dispatch instead of on the client's own thread. */
        public ClientBuilder callbacksByDispatch() {
                callbacksByDispatch = true;
                return this;
        }

        /**
         * Callbacks run in tasks of this executor, one task at a time; on Android `new
         * Handler(Looper.getMainLooper())::post`. What a callback throws leaves the task.
         */
        public ClientBuilder executor(Executor value) {
                executor = value;
                callbacksByDispatch = true;
                return this;
        }

        /** Entries are given again after a restart until Conversation.entryDone. */
        public ClientBuilder manualAck() {
                manualAck = true;
                return this;
        }

        /** Entries fetched of a conversation seen for the first time: 1-200, -1 = all; 50 when not set. */
        public ClientBuilder firstPage(int entries) {
                firstPage = entries;
                return this;
        }

        /** Entries of the cache given when a conversation is opened: 0-100000, -1 = all; 50 when not set. */
        public ClientBuilder snapshot(int entries) {
                snapshot = entries;
                return this;
        }

        /** Staff: opened conversations also give their team log; so when not set. */
        public ClientBuilder withTeamLog(boolean value) {
                withTeamLog = value;
                return this;
        }

        /** PEM file of trusted roots for wss. */
        public ClientBuilder caFile(String path) {
                caFile = path;
                return this;
        }

        /** Whoever used this app here as a visitor is this user. */
        public ClientBuilder claimsVisitor() {
                claimsVisitor = true;
                return this;
        }

        /** How large the file may become: from 1 MiB on, 0 = 256 MiB, -1 = no limit. */
        public ClientBuilder cacheMaxBytes(long bytes) {
                cacheMaxBytes = bytes;
                return this;
        }

        /** Entries kept of each log of a conversation that is not open: 50-1000000, 0 = no limit. */
        public ClientBuilder cacheMaxEntriesPerConversation(int entries) {
                cacheMaxEntriesPerConversation = entries;
                return this;
        }

        /** Keys that the server's certificate must have, as deskbell.h says; at most 16. Name a spare key too. */
        public ClientBuilder tlsPins(String... pins) {
                tlsPins = new ArrayList<>(Arrays.asList(pins));
                return this;
        }

        /** "http://[USER:PASSWORD@]HOST:PORT". */
        public ClientBuilder proxy(String value) {
                proxy = value;
                return this;
        }

        /**
         * 32 random bytes, from the platform's key store, under which this user's files are sealed. Copied, and the
         * copy is wiped by open; wipe your own.
         */
        public ClientBuilder storeKey(byte[] key) {
                storeKey = key.clone();
                return this;
        }

        /**
         * Path or name of libdeskbell-answers ("libdeskbell-answers.so.0"): answers questions on this device while there
         * is no session, told by Listener.onDeviceAnswer. INVALID when it cannot be loaded.
         */
        public ClientBuilder answers(String library) {
                answers = library;
                return this;
        }

        /** WebSockets of the application's own instead of libwebsockets. */
        public ClientBuilder transport(Transport value) {
                transport = value;
                return this;
        }

        public ClientBuilder listener(Listener value) {
                listener = value;
                return this;
        }

        public ClientBuilder log(LogSink value) {
                log = value;
                return this;
        }

        /**
         * Takes what a callback on the client's own thread throws. Without it the process's default handler does;
         * without that one too, a line of the log names the type.
         */
        public ClientBuilder uncaught(Thread.UncaughtExceptionHandler value) {
                uncaught = value;
                return this;
        }

        /* ---- for Core ---- */

        Listener listener() {
                return listener;
        }

        TokenSource tokenSource() {
                return tokenSource;
        }

        LogSink log() {
                return log;
        }

        Executor executor() {
                return executor;
        }

        Thread.UncaughtExceptionHandler uncaught() {
                return uncaught != null ? uncaught : Thread.getDefaultUncaughtExceptionHandler();
        }

        Plug plugFor(Core core) {
                return transport != null ? new Plug(core, transport) : null;
        }

        /** As read_options in jni/client.c reads it. */
        byte[] pack() {
                Packer out = new Packer().text(url)
                                             .text(app)
                                             .text(dataDir)
                                             .text(token)
                                             .flag(isVisitor)
                                             .text(agentToken)
                                             .text(user)
                                             .text(locale)
                                             .text(clientName)
                                             .text(clientVersion)
                                             .flag(callbacksByDispatch)
                                             .flag(manualAck)
                                             .number(firstPage)
                                             .number(snapshot)
                                             .flag(withTeamLog)
                                             .text(caFile)
                                             .flag(claimsVisitor)
                                             .number(cacheMaxBytes)
                                             .number(cacheMaxEntriesPerConversation);
                out.number(tlsPins.size());
                for (String pin : tlsPins)
                        out.text(pin);
                out.text(proxy).number(storeKey.length).raw(storeKey).text(answers);
                out.flag(listener != null).flag(tokenSource != null).flag(log != null);
                out.flag(transport != null && transport.hasHttp());
                return out.takeSecret();
        }
}
