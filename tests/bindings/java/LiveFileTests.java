/* SPDX-License-Identifier: Apache-2.0 */
import com.deskbell.Attachment;
import com.deskbell.Client;
import com.deskbell.ClientBuilder;
import com.deskbell.Connection;
import com.deskbell.Conversation;
import com.deskbell.Entry;
import com.deskbell.ErrorCode;
import com.deskbell.Fetched;
import com.deskbell.FileOptions;
import com.deskbell.FileSource;
import com.deskbell.Kind;
import com.deskbell.Message;
import com.deskbell.MessageState;
import com.deskbell.PushService;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Files, an application's own transport, background and log-out, with a real server; see LiveTests. */
final class LiveFileTests {
        private LiveFileTests() {}

        static void aFileGoesUpAndComesDownWhole() throws Exception {
                Told mine = new Told();
                Told theirs = new Told();
                byte[] content = new byte[300_000];
                new Random(7).nextBytes(content);
                Path path = Paths.get(LiveTests.folder, "photo.bin");
                String target = Paths.get(LiveTests.folder, "fetched.bin").toString();
                Files.write(path, content);
                try (Client phone = LiveTests.customer(mine).open(); Client desk = LiveTests.agent(theirs).open()) {
                        Conversation main = phone.openConversation("main");
                        desk.openConversationId(LiveTests.conversation);
                        phone.connect();
                        desk.connect();
                        String cmid = main.sendFile(
                                        new FileOptions()
                                                        .text("two files")
                                                        .file(FileSource.ofPath(path.toString()))
                                                        .file(FileSource.ofBytes("small".getBytes("UTF-8"))
                                                                                        .name("note.txt")
                                                                                        .media("text/plain")));
                        mine.await("sent", () -> mine.count(MessageState.SENT) == 1);
                        /* Others may be told first: what was sent before is delivered now. */
                        Message first = mine.messages.stream().filter(m -> m.getCmid().equals(cmid)).findFirst().get();
                        Check.same(MessageState.UPLOADING, first.getState());
                        Check.same("note.txt", first.getFiles().get(1).getName());
                        Check.same(Arrays.asList(cmid, 0, 2, (long) content.length),
                                        Arrays.asList(mine.progresses.get(0).getCmid(),
                                                        mine.progresses.get(0).getFile(),
                                                        mine.progresses.get(0).getFiles(),
                                                        mine.progresses.get(0).getTotal()));
                        Entry entry = theirs.awaitEntry("two files");
                        Attachment file = entry.getFiles().get(0);
                        Check.same(Arrays.asList(Kind.ATTACHMENT, 2, "photo.bin", (long) content.length),
                                        Arrays.asList(entry.getKind(), entry.getFiles().size(), file.getName(),
                                                        file.getSize()));
                        Check.that(Arrays.equals(MessageDigest.getInstance("SHA-256").digest(content),
                                                   file.getSha256()),
                                        "SHA-256");
                        fetched(desk, file, target, content);
                }
        }

        static void anUploadIsPausedAndCancelled() throws Exception {
                Told told = new Told();
                try (Client phone = LiveTests.customer(told).open()) {
                        String cmid = phone.openConversation("main").sendFile(
                                        new FileOptions().file(FileSource.ofBytes(new byte[1000])).waitForDisk());
                        phone.pauseUpload(cmid);
                        told.await("paused", () -> !told.messages.isEmpty() && told.last(told.messages).isPaused());
                        phone.resumeUpload(cmid);
                        told.await("not paused", () -> !told.last(told.messages).isPaused());
                        phone.cancelUpload(cmid);
                        told.await("cancelled", () -> told.last(told.messages).getTag().equals("cancelled"));
                        Check.refused(ErrorCode.NOT_FOUND, () -> phone.cancelUpload(cmid));
                }
        }

        static void aTransportOfTheApplicationsOwnCarriesTextsAndFiles() throws Exception {
                Told told = new Told();
                PlainTransport transport = new PlainTransport();
                byte[] content = new byte[300_000];
                try (Client phone = LiveTests.customer(told, "okhttp").transport(transport).open()) {
                        Conversation main = phone.openConversation("main");
                        phone.connect();
                        told.awaitCaughtUp();
                        main.send("by Java \ud83d\ude80");
                        main.sendFile(new FileOptions().text("by HTTP of Java")
                                                        .file(FileSource.ofBytes(content).name("z.bin")));
                        Entry file = told.awaitEntry("by HTTP of Java");
                        told.awaitEntry("by Java \ud83d\ude80");
                        fetched(phone, file.getFiles().get(0), Paths.get(LiveTests.folder, "by-java.bin").toString(),
                                        content);
                        Check.that(transport.received.get() > 3 && transport.exchanges.get() >= 2,
                                        "it went another way");
                        LiveTests.askRig("kill the server");
                        told.await("the loss is told", () -> !told.is(Connection.ONLINE));
                        main.send("in Java's tunnel");
                        LiveTests.askRig("start the server");
                        phone.networkChanged();
                        told.awaitEntry("in Java's tunnel");
                }
                Check.that(transport.isStopped, "it was not stopped");
        }

        static void theBackgroundPausesAndAPushIsNewsUntilItIsThere() throws Exception {
                Told told = new Told();
                try (Client phone = LiveTests.customer(told).open()) {
                        phone.openConversation("main");
                        phone.setPush(PushService.FCM, "a-token-of-the-platform");
                        phone.connect();
                        told.awaitCaughtUp();
                        phone.setBackground(true);
                        told.await("paused", () -> told.is(Connection.PAUSED));
                        Check.same(false, phone.pushReceived(LiveTests.conversation, 1));
                        Check.same(true, phone.pushReceived(LiveTests.conversation, 10_000_000));
                        told.await("settled", () -> !told.settled.isEmpty());
                        Check.same(Arrays.asList(true), told.settled);
                        phone.setBackground(false);
                        told.await("online", () -> told.is(Connection.ONLINE));
                        phone.setPush(PushService.FCM, null);
                        phone.disconnect();
                        told.await("disconnected", () -> told.is(Connection.DISCONNECTED));
                }
        }

        static void aLogOutRemovesWhatWasHere() throws Exception {
                for (boolean byExecutor : new boolean[] {false, true}) {
                        Told told = new Told();
                        ClientBuilder options = LiveTests.customer(told, "borrowed");
                        Client phone = byExecutor ? options.executor(Runnable::run).open() : options.open();
                        phone.openConversation("main").send("never sent");
                        phone.setPush(PushService.FCM, "a-token-of-the-platform");
                        Check.refused(ErrorCode.UNSENT, () -> phone.logOut(false));
                        told.await("queued", () -> !told.messages.isEmpty());
                        Check.same(1L, phone.getStatus().getQueued());
                        Check.same(false, phone.logOut(true)); /* offline: the server was not told */
                        Check.thrown(IllegalStateException.class, phone::getStatus);
                        for (String left : Paths.get(LiveTests.folder, "borrowed").toFile().list())
                                Check.that(!left.endsWith(".deskbell"), left + " is left");
                }
        }

        private static void fetched(Client desk, Attachment file, String target, byte[] content) throws Exception {
                BlockingQueue<Fetched> ends = new LinkedBlockingQueue<>();
                List<Long> progress = new ArrayList<>();
                long fetch = desk.fetchFile(file, target, (received, total) -> progress.add(total), ends::add);
                Fetched end = ends.poll(60, TimeUnit.SECONDS);
                Check.same(Arrays.asList(ErrorCode.OK, target, fetch),
                                Arrays.asList(end.getError(), end.getPath(), end.getFetch()));
                Check.same((long) content.length, progress.get(progress.size() - 1));
                Check.that(Arrays.equals(content, Files.readAllBytes(new File(target).toPath())), "other bytes");
                Check.refused(ErrorCode.NOT_FOUND, () -> desk.cancelFetch(fetch));
        }

        static void add(Map<String, Check.Test> tests) {
                tests.put("a file goes up and comes down whole", LiveFileTests::aFileGoesUpAndComesDownWhole);
                tests.put("an upload is paused and cancelled", LiveFileTests::anUploadIsPausedAndCancelled);
                tests.put("a transport of the application's own carries texts and files",
                                LiveFileTests::aTransportOfTheApplicationsOwnCarriesTextsAndFiles);
                tests.put("the background pauses and a push is news until it is there",
                                LiveFileTests::theBackgroundPausesAndAPushIsNewsUntilItIsThere);
                tests.put("a log out removes what was here", LiveFileTests::aLogOutRemovesWhatWasHere);
        }
}
