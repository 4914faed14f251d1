/* SPDX-License-Identifier: Apache-2.0 */
import com.deskbell.Client;
import com.deskbell.Conversation;
import com.deskbell.DeskbellException;
import com.deskbell.ErrorCode;
import com.deskbell.Listener;
import com.deskbell.LogSink;
import com.deskbell.Message;
import com.deskbell.SendOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Where callbacks run, what becomes of what they throw, and every way to end a client; without a server. */
final class CallbackTests {
        private CallbackTests() {}

        /** What the call is refused with, OK when it is not. */
        private static ErrorCode errorOf(Check.Test call) {
                try {
                        call.run();
                        return ErrorCode.OK;
                } catch (DeskbellException e) {
                        return e.getError();
                } catch (Exception e) {
                        throw new AssertionError(e);
                }
        }

        static void aClientIsNotClosedInsideACallbackButMuted() throws Exception {
                Told told = new Told();
                List<ErrorCode> refusals = Collections.synchronizedList(new ArrayList<>());
                Listener ending = new Listener() {
                        @Override
                        public void onMessage(Client from, Message message) {
                                Check.that(from.isInCallback(), "not known as a callback");
                                refusals.add(errorOf(from::close));
                                refusals.add(errorOf(() -> from.logOut(true)));
                                from.mute();
                                told.note(() -> told.messages.add(message));
                        }
                };
                Client client = OfflineTests.options(told).listener(ending).open();
                Conversation main = client.openConversation("main");
                main.send("first");
                told.await("the callback ran", () -> !told.messages.isEmpty());
                main.send("second", new SendOptions().waitForDisk());
                Check.that(!client.isInCallback(), "this is no callback");
                client.close();
                Check.same(Arrays.asList(ErrorCode.WRONG_THREAD, ErrorCode.WRONG_THREAD), refusals);
                Check.same(1, told.messages.size());
        }

        static void whatACallbackThrowsIsHandedToTheHandlerAndTheClientGoesOn() throws Exception {
                BlockingQueue<Throwable> thrown = new LinkedBlockingQueue<>();
                Told told = new Told() {
                        @Override
                        public void onMessage(Client client, Message message) {
                                throw new IllegalArgumentException(message.getText());
                        }
                };
                try (Client client = OfflineTests.options(told).uncaught((thread, what) -> thrown.add(what)).open()) {
                        Conversation main = client.openConversation("main");
                        main.send("first");
                        main.send("second");
                        for (String text : Arrays.asList("first", "second"))
                                Check.same(text, thrown.poll(60, TimeUnit.SECONDS).getMessage());
                }
                try (Client client = OfflineTests.options(told).open()) {
                        client.openConversation("main").send("secret");
                        told.await("a line",
                                        () -> told.lines.stream().anyMatch(
                                                                        l -> l.contains("IllegalArgumentException")));
                        Check.that(told.lines.stream().noneMatch(l -> l.contains("secret")), "its text is in the log");
                }
        }

        static void dispatchRunsCallbacksHereAndThrowsTheFirstExceptionAfterAllHaveRun() throws Exception {
                List<String> calls = new ArrayList<>();
                List<Thread> threads = new ArrayList<>();
                Told told = new Told() {
                        @Override
                        public void onMessage(Client client, Message message) {
                                calls.add(message.getText());
                                threads.add(Thread.currentThread());
                                try {
                                        Check.refused(ErrorCode.WRONG_THREAD, () -> client.dispatch(0));
                                } catch (Exception e) {
                                        throw new AssertionError(e);
                                }
                                throw new IllegalArgumentException(message.getText());
                        }
                };
                try (Client client = OfflineTests.options(told).callbacksByDispatch().open()) {
                        Conversation main = client.openConversation("main");
                        main.send("first", new SendOptions().waitForDisk());
                        main.send("second", new SendOptions().waitForDisk());
                        Check.that(client.getFd() >= 0 && client.awaitCallbacks(60_000), "nothing waits");
                        IllegalArgumentException first = null;
                        while (calls.size() < 2) {
                                client.awaitCallbacks(60_000);
                                try {
                                        client.dispatch(0);
                                } catch (IllegalArgumentException e) {
                                        first = first != null ? first : e;
                                }
                        }
                        Check.same(Arrays.asList("first", "second"), calls);
                        Check.same("first", first.getMessage());
                        Check.that(threads.stream().allMatch(t -> t == Thread.currentThread()), "another thread");
                        while (client.dispatch(0) > 0)
                                continue;
                        Check.that(!client.awaitCallbacks(0), "callbacks wait that are not there");
                }
        }

        static void anExecutorGetsOneTaskAtATime() throws Exception {
                BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
                AtomicInteger most = new AtomicInteger();
                Told told = new Told();
                Client client = OfflineTests.options(told)
                                                .executor(task -> {
                                                        tasks.add(task);
                                                        most.accumulateAndGet(tasks.size(), Math::max);
                                                })
                                                .open();
                Conversation main = client.openConversation("main");
                for (int i = 0; i < 20; i++) {
                        main.send("a " + i);
                        main.send("b " + i);
                        int expected = 2 * i + 2;
                        while (told.messages.size() < expected)
                                tasks.poll(60, TimeUnit.SECONDS).run();
                }
                Check.same(1, most.get());
                main.send("late", new SendOptions().waitForDisk());
                Runnable late = tasks.poll(60, TimeUnit.SECONDS);
                client.close();
                int before = told.messages.size();
                late.run();
                Check.same(before, told.messages.size());
        }

        static void callsInsideTheLogAreRefused() throws Exception {
                Told told = new Told();
                AtomicReference<Client> client = new AtomicReference<>();
                BlockingQueue<ErrorCode> errors = new LinkedBlockingQueue<>();
                LogSink calling = (level, line) -> {
                        errors.add(errorOf(() -> client.get().getStatus()));
                        errors.add(errorOf(() -> client.get().close()));
                        errors.add(errorOf(() -> client.get().dispatch(0)));
                };
                client.set(OfflineTests.options(told).log(calling).open());
                client.get().connect();
                for (int i = 0; i < 3; i++)
                        Check.same(ErrorCode.WRONG_THREAD, errors.poll(60, TimeUnit.SECONDS));
                client.get().close();
        }

        static void aClientThatNobodyNamesAnyMoreIsClosedAndSaidInTheLog() throws Exception {
                Check.inFolder(folder -> {
                        Told told = new Told();
                        openAndForget(told, folder);
                        for (int i = 0; i < 1000 && told.lines.stream().noneMatch(l -> l.contains("not closed")); i++)
                                collect(told);
                        Check.that(!told.lines.isEmpty(), "nobody missed it");
                        Client again = null;
                        for (int i = 0; i < 1000 && again == null; i++) {
                                try {
                                        again = OfflineTests.options(new Told()).dataDir(folder).open();
                                } catch (DeskbellException e) {
                                        Check.same(ErrorCode.LOCKED, e.getError()); /* its close is on the way */
                                        collect(told);
                                }
                        }
                        Check.same(1L, again.getStatus().getQueued());
                        again.close();
                });
        }

        static void aConversationKeepsItsClient() throws Exception {
                Told told = new Told();
                Conversation main = OfflineTests.options(told).open().openConversation("main");
                for (int i = 0; i < 5; i++)
                        System.gc();
                main.send("still here");
                told.await("told", () -> !told.messages.isEmpty());
                Check.same("main", main.getClient().getConversations().get(0).getKey());
                main.getClient().close();
        }

        static void tenThousandCallbacksLeaveNoGlobalReferenceAndNoneStaysAfterTheEnd() throws Exception {
                Told told = new Told();
                int before = Check.globalReferences();
                try (Client client = OfflineTests.options(told).open()) {
                        Conversation main = client.openConversation("main");
                        for (int i = 0; i < 100; i++)
                                main.send("queued " + i);
                        told.await("all are queued", () -> told.messages.size() == 100);
                        int open = Check.globalReferences();
                        while (told.callCount < 10_000) {
                                int rounds = told.opened.size() + 1;
                                main.close();
                                client.openConversation("main");
                                told.await("opened again", () -> told.opened.size() == rounds);
                        }
                        int after = Check.globalReferences();
                        Check.that(after <= open + 5, "from " + open + " to " + after + " references");
                        Check.same(0, told.find(e -> true) == null ? 0 : 1);
                }
                int end = Check.globalReferences();
                Check.that(end <= before + 5, "from " + before + " to " + end + " references after the end");
        }

        static void eightThreadsUseOneClientUntilItIsClosed() throws Exception {
                Told told = new Told();
                AtomicInteger sent = new AtomicInteger();
                BlockingQueue<Throwable> wrong = new LinkedBlockingQueue<>();
                Client client = OfflineTests.options(told).open();
                List<Thread> threads = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                        Thread thread = new Thread(() -> {
                                try {
                                        while (true)
                                                useOnce(client, sent);
                                } catch (IllegalStateException e) {
                                        return; /* closed */
                                } catch (Throwable e) {
                                        wrong.add(e);
                                }
                        });
                        threads.add(thread);
                        thread.start();
                }
                told.await("all are at it", () -> told.messages.size() >= 400);
                client.close();
                long atEnd = told.callCount;
                for (Thread thread : threads)
                        thread.join();
                Check.same(null, wrong.peek());
                Check.same(atEnd, told.callCount);
                Check.that(sent.get() >= 400, "too few");
        }

        /** With a listener that keeps nothing of it. */
        private static void openAndForget(Told told, String folder) {
                OfflineTests.options(told)
                                .listener(new Listener() {})
                                .dataDir(folder)
                                .open()
                                .openConversation("main")
                                .send("x");
        }

        /** Collects, and lets the thread that closes have its turn. */
        private static void collect(Told told) throws InterruptedException {
                System.gc();
                synchronized (told) {
                        told.wait(20);
                }
        }

        private static void useOnce(Client client, AtomicInteger sent) {
                Conversation main = client.openConversation("main");
                try {
                        main.send("load " + sent.incrementAndGet() + " \ud83d\ude00");
                } catch (DeskbellException e) {
                        Check.same(ErrorCode.OUTBOX_FULL, e.getError());
                }
                main.typing();
                main.markRead(0);
                main.getId();
                client.getStatus();
                client.getConversations();
        }

        static void add(Map<String, Check.Test> tests) {
                tests.put("a client is not closed inside a callback, but muted",
                                CallbackTests::aClientIsNotClosedInsideACallbackButMuted);
                tests.put("what a callback throws is handed to the handler and the client goes on",
                                CallbackTests::whatACallbackThrowsIsHandedToTheHandlerAndTheClientGoesOn);
                tests.put("dispatch runs callbacks here and throws the first exception after all have run",
                                CallbackTests::dispatchRunsCallbacksHereAndThrowsTheFirstExceptionAfterAllHaveRun);
                tests.put("an executor gets one task at a time", CallbackTests::anExecutorGetsOneTaskAtATime);
                tests.put("calls inside the log are refused", CallbackTests::callsInsideTheLogAreRefused);
                tests.put("a client that nobody names any more is closed and said in the log",
                                CallbackTests::aClientThatNobodyNamesAnyMoreIsClosedAndSaidInTheLog);
                tests.put("a conversation keeps its client", CallbackTests::aConversationKeepsItsClient);
                tests.put("ten thousand callbacks leave no global reference and none stays after the end",
                                CallbackTests::tenThousandCallbacksLeaveNoGlobalReferenceAndNoneStaysAfterTheEnd);
                tests.put("eight threads use one client until it is closed",
                                CallbackTests::eightThreadsUseOneClientUntilItIsClosed);
        }
}
