/* SPDX-License-Identifier: Apache-2.0 */
import com.deskbell.Attachment;
import com.deskbell.Availability;
import com.deskbell.Client;
import com.deskbell.ClientBuilder;
import com.deskbell.Connection;
import com.deskbell.Conversation;
import com.deskbell.DeskbellException;
import com.deskbell.EntryLog;
import com.deskbell.ErrorCode;
import com.deskbell.FileOptions;
import com.deskbell.FileSource;
import com.deskbell.FormField;
import com.deskbell.FormValue;
import com.deskbell.HistoryOptions;
import com.deskbell.Level;
import com.deskbell.Link;
import com.deskbell.Message;
import com.deskbell.MessageState;
import com.deskbell.PushService;
import com.deskbell.Rating;
import com.deskbell.SendOptions;
import com.deskbell.SurveySaid;
import com.deskbell.Transport;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The Java binding without a server: what is refused, texts of all kinds, transports and keys. */
final class OfflineTests {
        private OfflineTests() {}

        static ClientBuilder options(Told told) {
                return Client.builder()
                                .url("ws://127.0.0.1:9")
                                .app("app_0000000000009")
                                .token("token")
                                .listener(told)
                                .log(told);
        }

        static void whatTheCFunctionRefusesIsThrown() throws Exception {
                Told told = new Told();
                Check.refused(ErrorCode.INVALID, () -> options(told).app("nonsense").open());
                Check.refused(ErrorCode.INVALID, () -> options(told).url("a\0b").open());
                Check.refused(ErrorCode.INVALID, () -> options(told).token(null).open());
                Check.refused(ErrorCode.INVALID, () -> options(told).visitor().open());
                try (Client client = options(told).open()) {
                        Conversation main = client.openConversation(null);
                        refusedWriting(main);
                        refusedAsking(client, main);
                        Check.same(-1, client.getFd());
                        Check.refused(ErrorCode.STATE, () -> client.dispatch(0));
                        Check.refused(ErrorCode.STATE, () -> client.awaitCallbacks(0));
                }
                Check.refused(ErrorCode.INVALID, () -> options(told).answers("/nowhere/at/all.so").open());
                DeskbellException text = Check.thrown(DeskbellException.class, () -> options(told).app("x").open());
                Check.that(text.getMessage().length() > 10, "an exception has no sentence");
        }

        private static void refusedWriting(Conversation main) throws Exception {
                Client client = main.getClient();
                Check.refused(ErrorCode.TEXT, () -> main.send(""));
                Check.refused(ErrorCode.TEXT, () -> main.send("a\0b"));
                Check.refused(ErrorCode.TEXT, () -> main.send("half a pair: \ud83d"));
                Check.refused(ErrorCode.TEXT, () -> main.send("wrong way round: \ude00\ud83d"));
                Check.refused(ErrorCode.TOO_LONG, () -> main.send(String.join("", Collections.nCopies(40001, "a"))));
                Check.refused(ErrorCode.INVALID, () -> main.send(null));
                Check.refused(ErrorCode.INVALID, () -> main.send("x", new SendOptions().cmid("\ud800")));
                Check.refused(ErrorCode.INVALID, () -> main.send("x", new SendOptions().log(EntryLog.UNKNOWN)));
                Check.refused(ErrorCode.INVALID, () -> main.edit(0, 1, "x"));
                Check.refused(ErrorCode.NOT_FOUND, () -> main.edit(7, 1, "x"));
                Check.refused(ErrorCode.NOT_FOUND, () -> main.erase(7));
                Check.refused(ErrorCode.INVALID, () -> main.sendFile(new FileOptions()));
                Check.refused(ErrorCode.NOT_FOUND, () -> main.sendFile(FileSource.ofPath("/nowhere/at/all")));
                Check.refused(ErrorCode.NOT_FOUND, () -> client.retry(client.newCmid()));
                Check.refused(ErrorCode.NOT_FOUND, () -> client.forget(client.newCmid()));
                Check.refused(ErrorCode.NOT_FOUND, () -> client.pauseUpload(client.newCmid()));
                Check.refused(ErrorCode.NOT_FOUND, () -> client.resumeUpload(client.newCmid()));
                Check.refused(ErrorCode.NOT_FOUND, () -> client.cancelUpload(client.newCmid()));
                Check.refused(ErrorCode.INVALID, () -> client.forget(null));
        }

        private static void refusedAsking(Client client, Conversation main) throws Exception {
                Check.refused(ErrorCode.INVALID, () -> client.openConversation("a\0b"));
                Check.refused(ErrorCode.INVALID, () -> client.openConversationId("cnv_x"));
                Check.refused(ErrorCode.STATE, () -> main.entryDone(EntryLog.PUBLIC, 1));
                Check.refused(ErrorCode.INVALID, () -> main.markRead(-1));
                Check.refused(ErrorCode.INVALID, () -> client.setToken(""));
                Check.refused(ErrorCode.STATE, () -> client.setPresence(Availability.HERE));
                Check.refused(ErrorCode.INVALID, () -> client.setPush(PushService.UNKNOWN, "token"));
                Check.refused(ErrorCode.STATE, () -> client.pushReceived(null, 5));
                Check.refused(ErrorCode.OFFLINE, () -> client.search("lamp", page -> never()));
                Check.refused(ErrorCode.TEXT, () -> client.search("\ud800", page -> never()));
                Check.refused(ErrorCode.INVALID, () -> main.history(new HistoryOptions().limit(0), page -> never()));
                Check.refused(ErrorCode.NOT_FOUND, () -> client.cancelFetch(77));
                Attachment file = new Attachment("0", "x", "image/png", 5, 0, 0, new byte[32]);
                Check.refused(ErrorCode.INVALID, () -> client.fetchFile(file, "/tmp/x", null, end -> never()));
                Check.refused(ErrorCode.INVALID, () -> new Attachment("", "", "", 0, 0, 0, new byte[31]));
        }

        private static void never() {
                throw new AssertionError("a function that was refused is told something");
        }

        static void textsAreRealUtf8InBothDirections() throws Exception {
                Told told = new Told();
                String[] texts = {"\ud83d\ude00 grin", "\u00e9\u4e2d\u0153 \ud834\udd1e", "tab\tnew\nline",
                                "\uffff\ufffd", "\u200f\u05d0"};
                try (Client client = options(told).open()) {
                        Conversation main = client.openConversation("sch\u00f6n \ud83d\ude00");
                        for (String text : texts)
                                main.send(text);
                        told.await("all are queued", () -> told.messages.size() == texts.length);
                        for (int i = 0; i < texts.length; i++)
                                Check.same(texts[i], told.messages.get(i).getText());
                        Check.same("sch\u00f6n \ud83d\ude00", client.getConversations().get(0).getKey());
                }
        }

        static void aMessageIdIsUsedOnceAndAnOutboxSurvivesItsClient() throws Exception {
                Check.inFolder(folder -> {
                        Told first = new Told();
                        Told second = new Told();
                        String cmid;
                        try (Client client = options(first).dataDir(folder).open()) {
                                Check.refused(ErrorCode.LOCKED, () -> options(second).dataDir(folder).open());
                                cmid = client.newCmid();
                                Conversation main = client.openConversation("main");
                                Check.same(cmid, main.send("kept", new SendOptions().cmid(cmid).waitForDisk()));
                                Check.refused(ErrorCode.EXISTS, () -> main.send("kept", new SendOptions().cmid(cmid)));
                                Check.same(1L, client.getStatus().getQueued());
                        }
                        try (Client client = options(second).dataDir(folder).open()) {
                                Conversation main = client.openConversation("main");
                                second.await("told again",
                                                () -> !second.messages.isEmpty() && !second.opened.isEmpty());
                                Message message = second.messages.get(0);
                                Check.same(cmid, message.getCmid());
                                Check.same("kept", message.getText());
                                Check.same(MessageState.QUEUED, message.getState());
                                Check.that(message.isAgain(), "told as if for the first time");
                                Check.that(message.getConversation() == main && client.owns(main),
                                                "another conversation");
                                Check.that(main.getClient() == client, "another client");
                        }
                });
        }

        static void aCallAfterTheEndIsAnIllegalState() throws Exception {
                Client client = options(new Told()).open();
                Conversation main = client.openConversation("main");
                client.close();
                client.close();
                List<Check.Test> calls = Arrays.asList(client::connect, client::getStatus, client::getFd, main::getId,
                                () -> main.send("late"),
                                () -> main.history(new HistoryOptions(), page -> never()),
                                () -> client.search("x", page -> never()),
                                () -> client.logOut(true),
                                () -> client.dispatch(0), client::mute, client::getConversations);
                for (Check.Test call : calls)
                        Check.thrown(IllegalStateException.class, call);
        }

        static void bytesAreSentFromArraysAndBuffers() throws Exception {
                Check.inFolder(folder -> {
                        Told told = new Told();
                        ByteBuffer direct = ByteBuffer.allocateDirect(1000);
                        direct.position(900);
                        try (Client client = options(told).dataDir(folder).open()) {
                                Conversation main = client.openConversation("main");
                                main.sendFile(new FileOptions().text("three \ud83d\ude00")
                                                                .waitForDisk()
                                                                .file(FileSource.ofBytes(new byte[50_000])
                                                                                                .name("a.bin"))
                                                                .file(FileSource.ofBytes(direct).name("b.png").media(
                                                                                "image/png"))
                                                                .file(FileSource.ofBytes(
                                                                                ByteBuffer.wrap(new byte[10], 4, 6))));
                                told.await("uploading", () -> !told.messages.isEmpty());
                                List<Attachment> files = told.messages.get(0).getFiles();
                                Check.same(MessageState.UPLOADING, told.messages.get(0).getState());
                                Check.same(Arrays.asList("a.bin", "b.png", "file"),
                                                Arrays.asList(files.get(0).getName(), files.get(1).getName(),
                                                                files.get(2).getName()));
                                Check.same(Arrays.asList(50_000L, 100L, 6L),
                                                Arrays.asList(files.get(0).getSize(), files.get(1).getSize(),
                                                                files.get(2).getSize()));
                                Check.same("image/png", files.get(1).getMedia());
                                Check.same("three \ud83d\ude00", told.messages.get(0).getText());
                        }
                });
        }

        static void aFormIsCheckedFieldByField() throws Exception {
                List<FormField> form = Arrays.asList(new FormField("mail", "Your address", "email", true),
                                new FormField("when", "Since", "date", false));
                Check.same(null, FormField.check(form, Arrays.asList(new FormValue("mail", "ann@example.com"))));
                Check.same("mail", FormField.check(form, Arrays.asList(new FormValue("mail", "nobody"))));
                Check.same("when",
                                FormField.check(form,
                                                Arrays.asList(new FormValue("mail", "ann@example.com"),
                                                                new FormValue("when", "yesterday"))));
                Check.same("nowhere",
                                FormField.check(form,
                                                Arrays.asList(new FormValue("mail", "ann@example.com"),
                                                                new FormValue("nowhere", "x"))));
                Check.refused(ErrorCode.INVALID, () -> FormField.check(form, Arrays.asList(new FormValue(null, "x"))));
        }

        static void anAnswerToASurveyWaitsInTheOutbox() throws Exception {
                Told told = new Told();
                try (Client client = options(told).open()) {
                        Conversation main = client.openConversation(null);
                        String cmid = main.answer(7,
                                        new Rating().score(2).said("no").wantsContact(true).answers(
                                                        Arrays.asList(SurveySaid.chosen("why", Arrays.asList("rude", "slow")),
                                                                        SurveySaid.number("easy", 4),
                                                                        SurveySaid.words("more", "words"))));
                        told.await("it waits", () -> !told.messages.isEmpty());
                        Check.same(cmid, told.messages.get(0).getCmid());
                        Check.same(7L, told.messages.get(0).getRatedSeq());
                        Check.same("2\nrude, slow\n4\nwords\nno\n\u2611 \u260e", told.messages.get(0).getText());
                        Check.refused(ErrorCode.INVALID, () -> main.answer(0, new Rating().score(2)));
                        Check.refused(ErrorCode.TEXT, () -> main.answer(7, new Rating().said("a\0b")));
                }
        }

        /** Refuses each connection, by an answer or by an exception. */
        private static class Refusing implements Transport {
                final BlockingQueue<String> urls = new LinkedBlockingQueue<>();
                final boolean throwsIt;
                volatile boolean isStopped;
                volatile Link link;

                Refusing(boolean throwsIt) {
                        this.throwsIt = throwsIt;
                }

                @Override
                public boolean open(String url, String subprotocol, long maxMessageBytes, Link given) {
                        Check.that(maxMessageBytes > 1000 && !subprotocol.isEmpty(), "open is told nonsense");
                        link = given;
                        urls.add(url);
                        if (throwsIt)
                                throw new IllegalArgumentException("secret");
                        return false;
                }

                @Override
                public void send(Link to, byte[] message) {
                        never();
                }

                @Override
                public void close(Link which, int code) {
                        never();
                }

                @Override
                public void stop() {
                        isStopped = true;
                }
        }

        static void aTransportThatRefusesOrThrowsIsANetworkThatIsAway() throws Exception {
                for (boolean throwsIt : new boolean[] {false, true}) {
                        Told told = new Told();
                        Refusing transport = new Refusing(throwsIt);
                        try (Client client = options(told).url("ws://example.invalid:1").transport(transport).open()) {
                                client.connect();
                                told.await("waiting", () -> told.is(Connection.WAITING));
                                Check.same("network", told.last(told.states).getWhy());
                                Check.that(told.last(told.states).getRetryInMs() > 0, "no pause");
                                Check.same("ws://example.invalid:1/v1/ws", transport.urls.poll(60, TimeUnit.SECONDS));
                                client.networkChanged();
                                Check.that(transport.urls.poll(60, TimeUnit.SECONDS) != null, "no second try");
                                lateCalls(transport.link);
                                Check.refused(ErrorCode.STATE,
                                                () -> client.openConversation("main").sendFile(
                                                                                FileSource.ofBytes(new byte[1])));
                                Check.that(!transport.isStopped, "stopped too early");
                        }
                        Check.that(transport.isStopped, "not stopped");
                        lateCalls(transport.link);
                        Check.same(throwsIt, told.lines.stream().anyMatch(l -> l.contains("IllegalArgumentException")));
                        Check.that(told.lines.stream().noneMatch(l -> l.contains("secret")), "its text is in the log");
                }
        }

        /** What comes for a connection that is over is dropped. */
        private static void lateCalls(Link link) {
                link.opened();
                Check.same(false, link.text("{}"));
                link.closed(1006);
                link.closed(1006);
        }

        static void aConnectionThatFailsIsToldWithItsReason() throws Exception {
                Told told = new Told();
                Refusing transport = new Refusing(false) {
                        @Override
                        public boolean open(String url, String subprotocol, long maxMessageBytes, Link link) {
                                link.failed("tls_pin", "not the key that was named", -1);
                                link.closed(1006); /* dropped */
                                return true;
                        }
                };
                try (Client client = options(told).transport(transport).open()) {
                        client.connect();
                        told.await("waiting", () -> told.is(Connection.WAITING));
                        Check.same("tls_pin", told.last(told.states).getWhy());
                        told.await("a line",
                                        () -> told.lines.stream().anyMatch(
                                                                        l -> l.contains("not the key that was named")));
                }
        }

        private static byte[] key(int seed) {
                byte[] key = new byte[32];
                Arrays.fill(key, (byte) seed);
                return key;
        }

        static void aSealedFileOpensWithItsKeyOnly() throws Exception {
                Check.inFolder(folder -> {
                        try (Client client = options(new Told()).dataDir(folder).storeKey(key(1)).open()) {
                                client.openConversation("main").send("sealed", new SendOptions().waitForDisk());
                                Check.refused(ErrorCode.INVALID, () -> client.changeStoreKey(new byte[31]));
                                client.changeStoreKey(key(2));
                        }
                        Check.refused(ErrorCode.KEY, () -> options(new Told()).dataDir(folder).open());
                        Check.refused(ErrorCode.KEY, () -> options(new Told()).dataDir(folder).storeKey(key(1)).open());
                        Check.refused(ErrorCode.INVALID,
                                        () -> options(new Told()).dataDir(folder).storeKey(new byte[33]).open());
                        try (Client client = options(new Told()).dataDir(folder).storeKey(key(2)).open()) {
                                Check.same(1L, client.getStatus().getQueued());
                        }
                        try (Client plain = options(new Told()).open()) {
                                Check.refused(ErrorCode.STATE, () -> plain.changeStoreKey(key(2)));
                        }
                });
        }

        static void pinsAndProxiesAreCheckedAtTheOpening() throws Exception {
                String pin = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
                String[] many = Collections.nCopies(17, pin).toArray(new String[0]);
                ClientBuilder secure = options(new Told()).url("wss://localhost:9");
                Check.refused(ErrorCode.INVALID, () -> secure.tlsPins("md5/nonsense").open());
                Check.refused(ErrorCode.INVALID, () -> secure.tlsPins(many).open());
                Check.refused(ErrorCode.INVALID, () -> secure.tlsPins(pin).proxy("nonsense").open());
                secure.tlsPins(pin, pin).proxy("http://127.0.0.1:9").open().close();
        }

        static void aTokenIsAskedForWhereThereIsNone() throws Exception {
                BlockingQueue<Client> asked = new ArrayBlockingQueue<>(10);
                try (Client client = options(new Told()).token(null).user("ann").tokenSource(asked::add).open()) {
                        client.connect();
                        Check.that(asked.poll(60, TimeUnit.SECONDS) == client, "nobody asked");
                        client.setToken("token");
                }
        }

        static void whatANewerLibraryTellsIsUnknownAndHasItsNumber() throws Exception {
                Check.same(Level.DEBUG.getCode(), 3);
                Check.same(Connection.UNKNOWN.getCode(), Integer.MIN_VALUE);
                Check.that(Client.version().startsWith("0.1."), Client.version());
        }

        public static void main(String[] arguments) {
                Map<String, Check.Test> tests = Check.tests();
                tests.put("what the C function refuses is thrown", OfflineTests::whatTheCFunctionRefusesIsThrown);
                tests.put("texts are real UTF-8 in both directions", OfflineTests::textsAreRealUtf8InBothDirections);
                tests.put("a message id is used once and an outbox survives its client",
                                OfflineTests::aMessageIdIsUsedOnceAndAnOutboxSurvivesItsClient);
                tests.put("a call after the end is an illegal state", OfflineTests::aCallAfterTheEndIsAnIllegalState);
                tests.put("bytes are sent from arrays and buffers", OfflineTests::bytesAreSentFromArraysAndBuffers);
                tests.put("a form is checked field by field", OfflineTests::aFormIsCheckedFieldByField);
                tests.put("an answer to a survey waits in the outbox", OfflineTests::anAnswerToASurveyWaitsInTheOutbox);
                tests.put("a transport that refuses or throws is a network that is away",
                                OfflineTests::aTransportThatRefusesOrThrowsIsANetworkThatIsAway);
                tests.put("a connection that fails is told with its reason",
                                OfflineTests::aConnectionThatFailsIsToldWithItsReason);
                tests.put("a sealed file opens with its key only", OfflineTests::aSealedFileOpensWithItsKeyOnly);
                tests.put("pins and proxies are checked at the opening",
                                OfflineTests::pinsAndProxiesAreCheckedAtTheOpening);
                tests.put("a token is asked for where there is none", OfflineTests::aTokenIsAskedForWhereThereIsNone);
                tests.put("what a newer library tells is UNKNOWN and has its number",
                                OfflineTests::whatANewerLibraryTellsIsUnknownAndHasItsNumber);
                CallbackTests.add(tests);
                Check.run(tests, arguments.length > 0 ? arguments[0] : null);
        }
}
