/* SPDX-License-Identifier: Apache-2.0 */
import com.deskbell.Client;
import com.deskbell.Connection;
import com.deskbell.Conversation;
import com.deskbell.ConversationInfo;
import com.deskbell.Entry;
import com.deskbell.Level;
import com.deskbell.Listener;
import com.deskbell.LogSink;
import com.deskbell.Message;
import com.deskbell.MessageState;
import com.deskbell.NoticeKind;
import com.deskbell.Presence;
import com.deskbell.Progress;
import com.deskbell.State;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** All that a client was told; await sleeps until it is so. Everything in it under its own lock. */
class Told implements Listener, LogSink {
        static final long LIMIT_MS = 60_000;

        final List<State> states = new ArrayList<>();
        final List<Entry> entries = new ArrayList<>();
        final List<Message> messages = new ArrayList<>();
        final List<ConversationInfo> infos = new ArrayList<>();
        final List<NoticeKind> notices = new ArrayList<>();
        final List<String> details = new ArrayList<>();
        final List<Boolean> typings = new ArrayList<>();
        final List<Progress> progresses = new ArrayList<>();
        final List<Presence> presences = new ArrayList<>();
        final List<Boolean> settled = new ArrayList<>();
        final List<String> lines = new ArrayList<>();
        final List<Conversation> opened = new ArrayList<>();
        long unread = -1;
        long callCount;

        synchronized void note(Runnable change) {
                change.run();
                callCount++;
                notifyAll();
        }

        synchronized void await(String what, BooleanSupplier isSo) {
                long until = System.nanoTime() / 1_000_000 + LIMIT_MS;
                try {
                        while (!isSo.getAsBoolean()) {
                                long left = until - System.nanoTime() / 1_000_000;
                                if (left <= 0)
                                        throw new AssertionError("after " + LIMIT_MS + " ms still not: " + what
                                                        + "; the log: " + lines);
                                wait(left);
                        }
                } catch (InterruptedException e) {
                        throw new AssertionError(e);
                }
        }

        synchronized<T> T last(List<T> list) {
                return list.isEmpty() ? null : list.get(list.size() - 1);
        }

        synchronized long count(MessageState state) {
                return messages.stream().filter(m -> m.getState() == state).count();
        }

        synchronized Entry find(Predicate<Entry> is) {
                return entries.stream().filter(is).findFirst().orElse(null);
        }

        Entry awaitEntry(String text) {
                await("the entry " + text, () -> find(e -> e.getText().equals(text)) != null);
                return find(e -> e.getText().equals(text));
        }

        synchronized boolean is(Connection connection) {
                State state = last(states);
                return state != null && state.getConnection() == connection;
        }

        void awaitCaughtUp() {
                await("caught up", () -> !states.isEmpty() && last(states).isCaughtUp());
        }

        @Override
        public void onState(Client client, State state) {
                note(() -> states.add(state));
        }

        @Override
        public void onEntry(Client client, Entry entry) {
                note(() -> entries.add(entry));
        }

        @Override
        public void onMessage(Client client, Message message) {
                note(() -> messages.add(message));
        }

        @Override
        public void onConversation(Client client, ConversationInfo info) {
                note(() -> infos.add(info));
        }

        @Override
        public void onOpened(Client client, Conversation conversation, long seq, long iseq) {
                note(() -> opened.add(conversation));
        }

        @Override
        public void onTyping(Client client, Conversation conversation, String author, boolean isTyping) {
                note(() -> typings.add(isTyping));
        }

        @Override
        public void onUnread(Client client, long total) {
                note(() -> unread = total);
        }

        @Override
        public void onNotice(Client client, NoticeKind notice, Conversation conversation, String detail) {
                note(() -> {
                        notices.add(notice);
                        details.add(detail);
                });
        }

        @Override
        public void onProgress(Client client, Progress progress) {
                note(() -> progresses.add(progress));
        }

        @Override
        public void onPresence(Client client, Presence presence) {
                note(() -> presences.add(presence));
        }

        @Override
        public void onPushSettled(Client client, boolean isCaughtUp) {
                note(() -> settled.add(isCaughtUp));
        }

        @Override
        public void onLog(Level level, String line) {
                note(() -> lines.add(line));
        }
}
