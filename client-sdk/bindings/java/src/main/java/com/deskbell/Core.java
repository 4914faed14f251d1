/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What stands between the objects of the package and one C client, from its opening to its end.
 *
 * Always true: the C client is closed only when no call of ours is inside it; what a callback throws does not go into
 * C; each Owed is answered or cancelled exactly once. C holds this object until the end, and this object holds the
 * client's only weakly, so that a client which nobody references any more is found by the Reaper.
 */
final class Core {
        /** What a thread is inside of. */
        enum Why { CALLBACK, LOCKED, DISPATCHING }

        /** A call into C; below 0 = refused. */
        interface Call {
                int run(long client);
        }

        /** Something that is owed exactly one call. */
        abstract static class Owed {
                abstract void answer(Unpacker in);

                abstract void cancel();

                void progress(long received, long total) {
                }
        }

        /** Where on its stack a thread is inside of us. */
        private static final class Frame {
                final Core core;
                final Why why;
                final Frame outer;
                Throwable thrown;

                Frame(Core core, Why why, Frame outer) {
                        this.core = core;
                        this.why = why;
                        this.outer = outer;
                }
        }

        /** A call after the end. */
        private static final class Closed extends IllegalStateException {
                private static final long serialVersionUID = 1L;

                Closed() {
                        super("the client is closed");
                }
        }

        private static final ThreadLocal<Frame> INSIDE = new ThreadLocal<>();

        private final WeakReference<Client> self;
        private final ClientBuilder options;
        private final Map<Long, Owed> owed = new HashMap<>();
        private final Map<Long, WeakReference<Conversation>> conversations = new HashMap<>();
        private long raw;
        private long nextOwed = 1;
        private int calls;
        private boolean isClosing;
        private boolean isClosed;

        Core(Client client, ClientBuilder options) {
                this.self = new WeakReference<>(client);
                this.options = options;
        }

        /** Opens the C client; DeskbellException when that is refused. Callbacks may come before it returns. */
        void open() {
                byte[] packed = options.pack();
                raw = Native.create(this, options.plugFor(this));
                if (raw == 0)
                        throw new DeskbellException(ErrorCode.NOMEM);
                int rc = Native.open(raw, packed);
                Arrays.fill(packed, (byte) 0); /* the key of the store was in it */
                if (rc == 0)
                        return;
                synchronized (this) {
                        isClosing = true;
                        isClosed = true;
                }
                Native.destroy(raw);
                throw new DeskbellException(rc);
        }

        /* ---- calls ---- */

        /** Runs it while the C client lives; its result, or the error as an exception. */
        int call(Call call) {
                if (isInside(Why.LOCKED))
                        throw new DeskbellException(ErrorCode.WRONG_THREAD);
                long client = enter();
                try {
                        return DeskbellException.check(call.run(client));
                } finally {
                        leave();
                }
        }

        private synchronized long enter() {
                if (isClosing)
                        throw new Closed();
                calls++;
                return raw;
        }

        private synchronized void leave() {
                if (--calls == 0)
                        notifyAll();
        }

        /** The same object for the same conversation, as long as somebody holds it; null for 0. */
        Conversation conversation(long at) {
                Client client = self.get();
                if (at == 0 || client == null)
                        return null;
                synchronized (conversations) {
                        WeakReference<Conversation> known = conversations.get(at);
                        Conversation conversation = known != null ? known.get() : null;
                        if (conversation == null) {
                                conversation = new Conversation(client, this, at);
                                conversations.put(at, new WeakReference<>(conversation));
                        }
                        return conversation;
                }
        }

        /** Makes a call that owes an answer, and notes who gets it. */
        int callOwing(Owed what, long[] outId, Call call) {
                synchronized (owed) {
                        outId[0] = nextOwed++;
                        owed.put(outId[0], what);
                }
                boolean isAccepted = false;
                try {
                        int rc = call(call);
                        isAccepted = true;
                        return rc;
                } finally {
                        if (!isAccepted)
                                settle(outId[0]);
                }
        }

        private Owed settle(long id) {
                synchronized (owed) {
                        return owed.remove(id);
                }
        }

        /* ---- what C calls ---- */

        void told(int what, byte[] record) {
                Client client = self.get();
                if (client != null)
                        give(() -> Teller.tell(client, options, what, new Unpacker(this, record)));
        }

        void answered(long id, byte[] record) {
                Client client = self.get();
                Owed what = settle(id);
                if (what != null)
                        give(() -> {
                                if (client != null)
                                        what.answer(new Unpacker(this, record));
                                else
                                        what.cancel();
                        });
        }

        void progressed(long id, long received, long total) {
                Owed what;
                synchronized (owed) {
                        what = owed.get(id);
                }
                if (what != null)
                        give(() -> what.progress(received, total));
        }

        void logged(int level, byte[] line) {
                say(Level.of(level), new String(line, StandardCharsets.UTF_8));
        }

        /** Something could not even be told. */
        void failed(Throwable thrown) {
                note(thrown);
        }

        /* ---- callbacks ---- */

        /** Whether this thread is inside of this client for that reason. */
        boolean isInside(Why why) {
                return find(why) != null;
        }

        private Frame find(Why why) {
                for (Frame frame = INSIDE.get(); frame != null; frame = frame.outer)
                        if (frame.core == this && frame.why == why)
                                return frame;
                return null;
        }

        private Frame push(Why why) {
                Frame frame = new Frame(this, why, INSIDE.get());
                INSIDE.set(frame);
                return frame;
        }

        private static void pop(Frame frame) {
                if (frame.outer != null)
                        INSIDE.set(frame.outer);
                else
                        INSIDE.remove();
        }

        /** Runs what the application gave. */
        private void give(Runnable run) {
                Frame frame = push(Why.CALLBACK);
                try {
                        run.run();
                } catch (Throwable thrown) {
                        note(thrown);
                } finally {
                        pop(frame);
                }
        }

        /** Runs a function of the application that must not call the client. */
        void giveLocked(Runnable run) {
                Frame frame = push(Why.LOCKED);
                try {
                        run.run();
                } finally {
                        pop(frame);
                }
        }

        private void note(Throwable thrown) {
                if (thrown instanceof Closed && isEnding())
                        return; /* the application did not know yet that it had closed the client */
                Frame dispatching = find(Why.DISPATCHING);
                if (dispatching != null) {
                        if (dispatching.thrown == null)
                                dispatching.thrown = thrown;
                        else if (dispatching.thrown != thrown)
                                dispatching.thrown.addSuppressed(thrown);
                        return;
                }
                Thread.UncaughtExceptionHandler handler = options.uncaught();
                Throwable what = thrown;
                if (handler != null) {
                        try {
                                handler.uncaughtException(Thread.currentThread(), thrown);
                                return;
                        } catch (Throwable again) {
                                what = again;
                        }
                }
                say(Level.ERROR, "a callback of the application threw " + what.getClass().getName());
        }

        void say(Level level, String line) {
                LogSink sink = options.log();
                if (sink == null)
                        return;
                try {
                        giveLocked(() -> sink.onLog(level, line));
                } catch (Throwable thrown) {
                        /* nobody is left to be told */
                }
        }

        int dispatch(int max) {
                Frame frame = push(Why.DISPATCHING);
                int ran;
                try {
                        ran = call(client -> Native.dispatch(client, max));
                } finally {
                        pop(frame);
                }
                if (frame.thrown != null)
                        Core.<RuntimeException>rethrow(frame.thrown);
                return ran;
        }

        /** For an executor, which may be late. */
        void dispatchAll() {
                try {
                        dispatch(0);
                } catch (Closed e) {
                        return; /* what was not told is told after the next opening */
                }
        }

        @SuppressWarnings("unchecked")
        private static <T extends Throwable> void rethrow(Throwable thrown) throws T {
                throw(T) thrown;
        }

        /* ---- the end ---- */

        private synchronized boolean isEnding() {
                return isClosing;
        }

        /** Sleeps until a log-out that is under way is over; false: the client is closed. */
        synchronized boolean isOpenOrWait() {
                sleepWhile(() -> isClosing && !isClosed);
                return !isClosed;
        }

        /** Sleeps until `flag[0]` or the end; who sets it calls wakeAll. */
        synchronized void sleepUntil(boolean[] flag) {
                sleepWhile(() -> !flag[0] && !isClosed);
        }

        synchronized void raise(boolean[] flag) {
                flag[0] = true;
                notifyAll();
        }

        private interface Condition {
                boolean holds();
        }

        private void sleepWhile(Condition condition) {
                boolean wasInterrupted = false;
                while (condition.holds()) {
                        try {
                                wait();
                        } catch (InterruptedException e) {
                                wasInterrupted = true;
                        }
                }
                if (wasInterrupted)
                        Thread.currentThread().interrupt();
        }

        void close() {
                if (begin())
                        end(Native.close(raw), ErrorCode.OK);
        }

        boolean logOut(boolean discard) {
                boolean[] wasTold = new boolean[1];
                if (!begin())
                        throw new Closed();
                end(Native.logOut(raw, discard, wasTold), ErrorCode.STORE);
                return wasTold[0];
        }

        /** From now on no call begins, and none is inside C. False: it is closed already. */
        private synchronized boolean begin() {
                if (isInside(Why.CALLBACK) || isInside(Why.LOCKED))
                        throw new DeskbellException(ErrorCode.WRONG_THREAD);
                if (!isOpenOrWait())
                        return false;
                isClosing = true;
                Native.wake(raw, true);
                sleepWhile(() -> calls > 0);
                return true;
        }

        /** `alsoEnds`: the error with which the client is closed all the same. */
        private void end(int rc, ErrorCode alsoEnds) {
                boolean isOver = rc == 0 || rc == alsoEnds.getCode();
                if (isOver) {
                        cancelOwed();
                        Native.destroy(raw);
                }
                synchronized (this) {
                        isClosed = isOver;
                        isClosing = isOver;
                        if (!isOver)
                                Native.wake(raw, false);
                        notifyAll();
                }
                if (isOver)
                        Reaper.forget(this);
                DeskbellException.check(rc);
        }

        /** What could not be told for want of memory gets its one call now. */
        private void cancelOwed() {
                List<Owed> left;
                synchronized (owed) {
                        left = new ArrayList<>(owed.values());
                        owed.clear();
                }
                for (Owed what : left)
                        give(what::cancel);
        }
}
