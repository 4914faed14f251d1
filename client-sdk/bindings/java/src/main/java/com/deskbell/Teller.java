/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** Makes the values of one callback and calls the application. The numbers are those of enum told in jni/bridge.h. */
final class Teller {
        private Teller() {
        }

        static void tell(Client client, ClientBuilder options, int what, Unpacker in) {
                Runnable call = what == 7 ? () -> options.tokenSource().onToken(client)
                                : read(client, options.listener(), what, in);
                in.end();
                call.run();
        }

        private static Runnable read(Client client, Listener to, int what, Unpacker in) {
                switch (what) {
                        case 0:
                                return state(client, to, new State(in));
                        case 1:
                                return entry(client, to, new Entry(in));
                        case 2:
                                return message(client, to, new Message(in));
                        case 3:
                                return info(client, to, new ConversationInfo(in));
                        case 4:
                                return opened(client, to, in.conversation(), in.number(), in.number());
                        case 5:
                                return typing(client, to, in.conversation(), in.text(), in.flag());
                        case 6:
                                return unread(client, to, in.number());
                        case 8:
                                return notice(client, to, NoticeKind.of(in.number()), in.conversation(), in.text());
                        case 9:
                                return progress(client, to, new Progress(in));
                        case 10:
                                return presence(client, to, new Presence(in));
                        case 12:
                                return deviceAnswer(client, to, new DeviceAnswer(in));
                        default:
                                return settled(client, to, in.flag());
                }
        }

        private static Runnable state(Client client, Listener to, State state) {
                return () -> to.onState(client, state);
        }

        private static Runnable entry(Client client, Listener to, Entry entry) {
                return () -> to.onEntry(client, entry);
        }

        private static Runnable message(Client client, Listener to, Message message) {
                return () -> to.onMessage(client, message);
        }

        private static Runnable info(Client client, Listener to, ConversationInfo info) {
                return () -> to.onConversation(client, info);
        }

        private static Runnable opened(Client client, Listener to, Conversation conversation, long seq, long iseq) {
                return () -> to.onOpened(client, conversation, seq, iseq);
        }

        private static Runnable typing(
                        Client client, Listener to, Conversation conversation, String author, boolean is) {
                return () -> to.onTyping(client, conversation, author, is);
        }

        private static Runnable unread(Client client, Listener to, long total) {
                return () -> to.onUnread(client, total);
        }

        private static Runnable notice(
                        Client client, Listener to, NoticeKind kind, Conversation conversation, String detail) {
                return () -> to.onNotice(client, kind, conversation, detail);
        }

        private static Runnable progress(Client client, Listener to, Progress progress) {
                return () -> to.onProgress(client, progress);
        }

        private static Runnable presence(Client client, Listener to, Presence presence) {
                return () -> to.onPresence(client, presence);
        }

        private static Runnable deviceAnswer(Client client, Listener to, DeviceAnswer answer) {
                return () -> to.onDeviceAnswer(client, answer);
        }

        private static Runnable settled(Client client, Listener to, boolean isCaughtUp) {
                return () -> to.onPushSettled(client, isCaughtUp);
        }
}
