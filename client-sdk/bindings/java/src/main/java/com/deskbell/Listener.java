/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/**
 * What a client tells, one call at a time, in order: on the client's own thread, which should not be blocked, or where
 * ClientBuilder.executor or Client.dispatch say. All that is given may be kept. What a function throws goes to
 * ClientBuilder.uncaught; the client goes on, and what was told counts as told.
 *
 * A listener that refers to its client keeps it from being collected: close the client.
 */
public interface Listener {
        /** How the client stands to the server has changed. */
        default void onState(Client client, State state) {
        }

        /** An entry of an open conversation. */
        default void onEntry(Client client, Entry entry) {
        }

        /** What becomes of a message, edit or erasure of this device. */
        default void onMessage(Client client, Message message) {
        }

        /** A conversation is new or changed: for lists. */
        default void onConversation(Client client, ConversationInfo info) {
        }

        /** The snapshot of an opened conversation is complete; entries above these numbers follow. */
        default void onOpened(Client client, Conversation conversation, long seq, long iseq) {
        }

        /** Somebody of the other side began or stopped writing. */
        default void onTyping(Client client, Conversation conversation, String author, boolean isTyping) {
        }

        /** Customers: unread entries in all conversations. Staff: conversations with something unanswered. */
        default void onUnread(Client client, long total) {
        }

        /** `conversation` is null where none is meant; `detail` is "" where there is none. */
        default void onNotice(Client client, NoticeKind notice, Conversation conversation, String detail) {
        }

        /** A piece of a file is on the server. */
        default void onProgress(Client client, Progress progress) {
        }

        /** Somebody came or went. */
        default void onPresence(Client client, Presence presence) {
        }

        /** What Client.pushReceived asked for is over. */
        default void onPushSettled(Client client, boolean isCaughtUp) {
        }

        /** This device has found an answer without a session, or it is taken back. */
        default void onDeviceAnswer(Client client, DeviceAnswer answer) {
        }
}
