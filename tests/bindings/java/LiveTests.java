/* SPDX-License-Identifier: Apache-2.0 */
import com.deskbell.Availability;
import com.deskbell.Client;
import com.deskbell.ClientBuilder;
import com.deskbell.Connection;
import com.deskbell.Conversation;
import com.deskbell.ConversationInfo;
import com.deskbell.DeskbellException;
import com.deskbell.Entry;
import com.deskbell.EntryLog;
import com.deskbell.ErrorCode;
import com.deskbell.FormValue;
import com.deskbell.Found;
import com.deskbell.HistoryOptions;
import com.deskbell.HistoryPage;
import com.deskbell.Kind;
import com.deskbell.Message;
import com.deskbell.MessageState;
import com.deskbell.Operation;
import com.deskbell.Origin;
import com.deskbell.Presence;
import com.deskbell.PresenceOf;
import com.deskbell.SearchOptions;
import com.deskbell.SearchPage;
import com.deskbell.SendOptions;
import com.deskbell.State;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The Java binding in a conversation with a real server, both sides in this process. live.py starts it with
 * URL APP TOKEN AGENT_TOKEN CONVERSATION FOLDER, and takes the server away and brings it back when a line asks for it.
 * In the conversation lie, from 1: a text, choices, a card, a form and an article of the agent.
 */
final class LiveTests {
        private static final int WRITERS = 4;
        private static final int EACH = 100;
        private static final Scanner RIG = new Scanner(System.in, "UTF-8");

        private static String url;
        private static String app;
        private static String token;
        private static String agentToken;
        static String conversation;
        static String folder;

        private LiveTests() {}

        static void askRig(String what) {
                System.out.println("rig: " + what);
                System.out.flush();
                Check.same("done", RIG.nextLine());
        }

        static ClientBuilder customer(Told told, String device) {
                return Client.builder()
                                .url(url)
                                .app(app)
                                .token(token)
                                .dataDir(Paths.get(folder, device).toString())
                                .listener(told)
                                .log(told);
        }

        static ClientBuilder customer(Told told) {
                return customer(told, "phone");
        }

        static ClientBuilder agent(Told told) {
                return Client.builder()
                                .url(url)
                                .app(app)
                                .agentToken(agentToken)
                                .listener(told)
                                .log(told)
                                .dataDir(Paths.get(folder, "agent").toString());
        }

        static void everyKindIsCopiedWithAllItsParts() throws Exception {
                Told told = new Told();
                try (Client phone = customer(told).open()) {
                        Conversation main = phone.openConversation("main");
                        phone.connect();
                        told.await("five entries", () -> told.entries.size() >= 5 && told.unread == 5);
                        Entry text = told.entries.get(0);
                        Check.same(Arrays.asList(Kind.TEXT, 1L, "welcome", "Kim", EntryLog.PUBLIC, 0L, 1L, 0L, 0L, "",
                                                   ""),
                                        Arrays.asList(text.getKind(), text.getNumber(), text.getText(), text.getName(),
                                                        text.getLog(), text.getAtSeq(), text.getVersion(), text.getOf(),
                                                        text.getReplyTo(), text.getTitle(), text.getLink()));
                        Check.that(text.getAuthor().startsWith("agt_") && !text.isMine(), "the author");
                        Check.that(text.getCmid().length() == 32 && text.getTsMs() > 1_500_000_000_000L, "cmid, time");
                        Check.that(text.getHash().length == 16 && !Arrays.equals(text.getHash(), new byte[16]),
                                        "the hash");
                        Check.same(told.last(told.states).getEpoch(), text.getEpoch());
                        Check.that(text.getConversation() == main, "another conversation");
                        Check.same(conversation, main.getId());
                        Entry choices = told.entries.get(1);
                        Check.same(Kind.CHOICES, choices.getKind());
                        Check.same("b", choices.getChoices().get(1).getId());
                        Check.same("Blue", choices.getChoices().get(1).getLabel());
                        Entry card = told.entries.get(2);
                        Check.same(Arrays.asList(Kind.CARD, "A card", "https://example.com/c"),
                                        Arrays.asList(card.getKind(), card.getTitle(), card.getLink()));
                        Entry form = told.entries.get(3);
                        Check.same(Arrays.asList("mail", "Your address", "email", true),
                                        Arrays.asList(form.getForm().get(0).getId(), form.getForm().get(0).getLabel(),
                                                        form.getForm().get(0).getInput(),
                                                        form.getForm().get(0).isRequired()));
                        Check.same(Kind.ARTICLE, told.entries.get(4).getKind());
                        aRowOfTheList(phone);
                        State state = told.last(told.states);
                        Check.that(state.getPrincipal().startsWith("usr_") && state.getEpoch().length() == 16,
                                        "the state");
                }
        }

        private static void aRowOfTheList(Client phone) {
                List<ConversationInfo> known = phone.getConversations();
                Check.same(1, known.size());
                ConversationInfo row = known.get(0);
                Check.same(Arrays.asList(conversation, "main", "", false, 5L, 0L, 5L, 0L),
                                Arrays.asList(row.getId(), row.getKey(), row.getCustomer(), row.hasLeft(),
                                                row.getHead(), row.getIhead(), row.getUnread(),
                                                row.getMarks().getCustomerRead()));
                Check.that(row.getRev() > 0 && row.getLastTsMs() > 0 && row.getLastAuthor().startsWith("agt_"),
                                "the row");
                Check.that(row.getMarks().getStaffRead() >= 0 && row.getLastPreview().length() > 0, "marks, preview");
        }

        static void aCustomerAndAnAgentTalk() throws Exception {
                Told mine = new Told();
                Told theirs = new Told();
                try (Client phone = customer(mine).open(); Client desk = agent(theirs).open()) {
                        Conversation main = phone.openConversation("main");
                        Conversation side = desk.openConversationId(conversation);
                        phone.connect();
                        desk.connect();
                        mine.await("online", () -> mine.is(Connection.ONLINE));
                        theirs.await("online", () -> theirs.is(Connection.ONLINE));
                        Entry question = aQuestionIsRead(main, side, mine, theirs);
                        Entry reply = aReplyIsEdited(main, side, mine, theirs, question);
                        aTapAndAFormAreAnswered(main, theirs);
                        main.erase(question.getNumber());
                        Predicate<Entry> isIts = e -> e.getKind() == Kind.ERASE && e.getOf() == question.getNumber();
                        theirs.await("the erasure", () -> theirs.find(isIts) != null);
                        main.erase(reply.getNumber()); /* not his own */
                        mine.await("refused", () -> mine.count(MessageState.FAILED) == 1);
                        Message failed = mine.last(mine.messages);
                        Check.same(Operation.ERASE, failed.getOperation());
                        Check.same(reply.getNumber(), failed.getOf());
                        Check.that(!failed.getTag().isEmpty(), "no tag says why");
                        Check.same(1L, phone.getStatus().getFailed());
                        phone.forget(failed.getCmid());
                        Check.same(0L, phone.getStatus().getFailed());
                        Check.same(null, mine.find(e -> e.getText().equals("he is a good customer")));
                        Check.refused(ErrorCode.STATE, () -> desk.openConversation("main"));
                }
        }

        private static Entry aQuestionIsRead(Conversation main, Conversation side, Told mine, Told theirs) {
                String cmid = main.send("my lamp is broken \ud83d\ude2d");
                Entry question = theirs.awaitEntry("my lamp is broken \ud83d\ude2d");
                Check.same(cmid, question.getCmid());
                Check.that(question.getConversation() == side && question.getOrigin() == Origin.FOLLOWING,
                                "where from");
                side.markRead(question.getNumber());
                mine.await("read", () -> mine.count(MessageState.READ) == 1);
                Message sent = mine.messages.stream().filter(m -> m.getState() == MessageState.SENT).findFirst().get();
                Check.same(Arrays.asList(question.getNumber(), question.getTsMs(), question.getEpoch(), false, ""),
                                Arrays.asList(sent.getNumber(), sent.getTsMs(), sent.getEpoch(), sent.isDuplicate(),
                                                sent.getTag()));
                Check.that(Arrays.equals(sent.getHash(), question.getHash()), "two hashes");
                side.typing();
                mine.await("the agent writes", () -> !mine.typings.isEmpty() && mine.typings.get(0));
                return question;
        }

        private static Entry aReplyIsEdited(
                        Conversation main, Conversation side, Told mine, Told theirs, Entry question) {
                side.send("which one?", new SendOptions().replyTo(question.getNumber()));
                Entry reply = mine.awaitEntry("which one?");
                Check.same(question.getNumber(), reply.getReplyTo());
                side.send("he is a good customer", new SendOptions().log(EntryLog.TEAM));
                Entry note = theirs.awaitEntry("he is a good customer");
                Check.same(Arrays.asList(EntryLog.TEAM, reply.getNumber()),
                                Arrays.asList(note.getLog(), note.getAtSeq()));
                side.edit(reply.getNumber(), reply.getVersion(), "which lamp?");
                Entry change = mine.awaitEntry("which lamp?");
                Check.same(Arrays.asList(Kind.EDIT, reply.getNumber(), 2L),
                                Arrays.asList(change.getKind(), change.getOf(), change.getVersion()));
                return reply;
        }

        private static void aTapAndAFormAreAnswered(Conversation main, Told theirs) throws Exception {
                main.send("Blue", new SendOptions().pressed(2, "b"));
                Entry tapped = theirs.awaitEntry("Blue");
                Check.same(Arrays.asList(2L, "b"), Arrays.asList(tapped.getPressedSeq(), tapped.getPressedId()));
                Check.refused(ErrorCode.FORM,
                                () -> main.send(null,
                                                                new SendOptions().filled(4,
                                                                                Arrays.asList(new FormValue(
                                                                                                "mail", "x")))));
                main.send(null, new SendOptions().filled(4, Arrays.asList(new FormValue("mail", "ann@example.com"))));
                theirs.await("the form", () -> theirs.find(e -> e.getFilledSeq() == 4) != null);
                Entry filled = theirs.find(e -> e.getFilledSeq() == 4);
                Check.same("mail", filled.getFilled().get(0).getId());
                Check.same("ann@example.com", filled.getFilled().get(0).getValue());
        }

        static void whatIsWrittenOfflineArrivesOnceAndInOrder() throws Exception {
                Told told = new Told();
                try (Client phone = customer(told).open()) {
                        Conversation main = phone.openConversation("main");
                        phone.connect();
                        told.await("online", () -> told.is(Connection.ONLINE));
                        askRig("kill the server");
                        told.await("the loss is told", () -> !told.is(Connection.ONLINE));
                        for (int i = 0; i < 20; i++)
                                main.send("in the tunnel " + i);
                        Check.same(20L, phone.getStatus().getQueued());
                }
                Told after = new Told();
                try (Client phone = customer(after).open()) { /* also over an end of the client */
                        phone.openConversation("main");
                        phone.connect();
                        askRig("start the server");
                        phone.networkChanged();
                        after.await("all are sent",
                                        () -> after.count(MessageState.SENT) == 20
                                                        && after.find(e -> e.getText().equals("in the tunnel 19"))
                                                                        != null);
                        List<String> rows = after.entries.stream()
                                                            .map(Entry::getText)
                                                            .filter(t -> t.startsWith("in the tunnel"))
                                                            .collect(Collectors.toList());
                        for (int i = 0; i < 20; i++)
                                Check.same("in the tunnel " + i, rows.get(i));
                        Check.same(20, rows.size());
                        Check.same(0L, phone.getStatus().getQueued());
                }
        }

        private static HistoryPage page(Conversation main, HistoryOptions options) throws Exception {
                BlockingQueue<HistoryPage> pages = new LinkedBlockingQueue<>();
                main.history(options, pages::add);
                return pages.poll(60, TimeUnit.SECONDS);
        }

        static void historyGivesPagesAndEachQuestionGetsOneAnswer() throws Exception {
                Told told = new Told();
                try (Client phone = customer(told).open()) {
                        Conversation main = phone.openConversation("main");
                        phone.connect();
                        told.awaitCaughtUp();
                        HistoryPage first = page(main, new HistoryOptions().after(0).limit(5));
                        Check.same(ErrorCode.OK, first.getError());
                        Check.that(first.getEntries().size() == 5 && first.hasMore() && first.getHead() > 20,
                                        "the page");
                        Check.same("Red", first.getEntries().get(1).getChoices().get(0).getLabel());
                        Check.same(Origin.SNAPSHOT, first.getEntries().get(0).getOrigin());
                        HistoryPage fresh = page(main, new HistoryOptions().after(0).limit(5).fromServer());
                        for (int i = 0; i < 5; i++)
                                Check.same(first.getEntries().get(i).getCmid(), fresh.getEntries().get(i).getCmid());
                        List<ErrorCode> answers = new ArrayList<>();
                        for (int i = 0; i < 10; i++)
                                main.history(new HistoryOptions().after(0).limit(5).fromServer(),
                                                p -> answers.add(p.getError()));
                        phone.close();
                        Check.same(10, answers.size());
                        Check.that(answers.stream().allMatch(e -> e == ErrorCode.OK || e == ErrorCode.CANCELLED),
                                        "errors");
                }
        }

        static void anExecutorIsToldEverythingInOrder() throws Exception {
                BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
                Told told = new Told();
                try (Client phone = customer(told, "looper").executor(tasks::add).open()) {
                        phone.openConversation("main");
                        phone.connect();
                        while (told.entries.isEmpty() || !told.last(told.states).isCaughtUp())
                                tasks.poll(60, TimeUnit.SECONDS).run();
                        for (int i = 1; i < told.entries.size(); i++)
                                Check.same(told.entries.get(i - 1).getNumber() + 1, told.entries.get(i).getNumber());
                }
        }

        static void aClientWithoutATokenAsksForOne() throws Exception {
                Told told = new Told();
                try (Client phone = customer(told, "tokenless")
                                                    .token(null)
                                                    .user("ann")
                                                    .tokenSource(client -> client.setToken(token))
                                                    .open()) {
                        phone.connect();
                        told.await("online", () -> told.is(Connection.ONLINE));
                }
        }

        static void entriesNotDoneAreGivenAgainToAKiosk() throws Exception {
                for (long first : new long[] {1, 3}) {
                        Told told = new Told();
                        try (Client kiosk = customer(told, "kiosk").manualAck().firstPage(-1).open()) {
                                Conversation main = kiosk.openConversation("main");
                                kiosk.connect();
                                told.await("entries", () -> told.entries.size() >= 3);
                                Check.same(first, told.entries.get(0).getNumber());
                                Check.same(Origin.FOLLOWING, told.entries.get(0).getOrigin());
                                main.entryDone(EntryLog.PUBLIC, 2);
                        }
                }
        }

        static void aWordIsFound() throws Exception {
                Told told = new Told();
                try (Client desk = agent(told).open()) {
                        desk.connect();
                        told.await("online", () -> told.is(Connection.ONLINE));
                        BlockingQueue<SearchPage> pages = new LinkedBlockingQueue<>();
                        SearchPage page = null;
                        for (int i = 0; i < 100 && (page == null || page.getFound().isEmpty());
                                        i++) { /* the index follows */
                                desk.search("welcome", new SearchOptions().limit(5), pages::add);
                                page = pages.poll(60, TimeUnit.SECONDS);
                                if (page.getFound().isEmpty())
                                        Thread.sleep(50); /* and tells nobody when it has */
                        }
                        Check.same(ErrorCode.OK, page.getError());
                        Found found = page.getFound().get(0);
                        Check.same(Arrays.asList(conversation, EntryLog.PUBLIC, 1L, "text", "welcome"),
                                        Arrays.asList(found.getConversation(), found.getLog(), found.getNumber(),
                                                        found.getKind(), found.getHit()));
                        Check.that(found.getCustomer().startsWith("usr_") && found.getAuthor().startsWith("agt_"),
                                        "who");
                        Check.that(found.getTsMs() > 0 && (found.getBefore() + found.getAfter()).isEmpty(),
                                        "around it");
                        Check.same("", page.getNext());
                }
        }

        static void whoIsThereIsToldToBothSides() throws Exception {
                Told mine = new Told();
                Told theirs = new Told();
                try (Client phone = customer(mine).open(); Client desk = agent(theirs).open()) {
                        phone.openConversation("main");
                        phone.connect();
                        desk.openConversationId(conversation);
                        desk.connect();
                        desk.setPresence(Availability.HERE);
                        mine.await("the team is there",
                                        () -> !mine.presences.isEmpty() && mine.last(mine.presences).isHere());
                        Check.same(PresenceOf.TEAM, mine.last(mine.presences).getOf());
                        Check.same(null, mine.last(mine.presences).getConversation());
                        theirs.await("the customer is there",
                                        () -> !theirs.presences.isEmpty() && theirs.last(theirs.presences).isHere());
                        Presence seen = theirs.last(theirs.presences);
                        Check.same(conversation, seen.getConversation().getId());
                        Check.same(mine.last(mine.states).getPrincipal(), seen.getCustomer());
                }
        }

        static void messagesOfFourThreadsArriveOnceAndInOrder() throws Exception {
                Told mine = new Told();
                Told theirs = new Told();
                try (Client phone = customer(mine).open(); Client desk = agent(theirs).open()) {
                        Conversation main = phone.openConversation("main");
                        desk.openConversationId(conversation);
                        phone.connect();
                        desk.connect();
                        mine.awaitCaughtUp();
                        theirs.awaitCaughtUp();
                        List<Thread> writers = new ArrayList<>();
                        for (int w = 0; w < WRITERS; w++) {
                                int writer = w;
                                writers.add(new Thread(() -> write(main, writer)));
                        }
                        writers.forEach(Thread::start);
                        for (Thread writer : writers)
                                writer.join();
                        mine.await("all are sent", () -> mine.count(MessageState.SENT) == WRITERS * EACH);
                        for (Told side : Arrays.asList(mine, theirs)) {
                                side.await("all are given", () -> load(side).size() == WRITERS * EACH);
                                for (int w = 0; w < WRITERS; w++)
                                        inOrder(load(side), "load " + w + " ");
                        }
                }
        }

        private static void write(Conversation main, int writer) {
                for (int i = 0; i < EACH; i++)
                        main.send("load " + writer + " " + i);
        }

        private static List<Entry> load(Told told) {
                return told.entries.stream().filter(e -> e.getText().startsWith("load ")).collect(Collectors.toList());
        }

        private static void inOrder(List<Entry> load, String head) {
                int next = 0;
                for (Entry entry : load)
                        if (entry.getText().startsWith(head))
                                Check.same(head + next++, entry.getText());
                Check.same(EACH, next);
        }

        public static void main(String[] arguments) throws DeskbellException {
                url = arguments[0];
                app = arguments[1];
                token = arguments[2];
                agentToken = arguments[3];
                conversation = arguments[4];
                folder = arguments[5];
                Map<String, Check.Test> tests = Check.tests();
                tests.put("every kind is copied with all its parts", LiveTests::everyKindIsCopiedWithAllItsParts);
                tests.put("a customer and an agent talk", LiveTests::aCustomerAndAnAgentTalk);
                tests.put("what is written offline arrives once and in order",
                                LiveTests::whatIsWrittenOfflineArrivesOnceAndInOrder);
                tests.put("history gives pages and each question gets one answer",
                                LiveTests::historyGivesPagesAndEachQuestionGetsOneAnswer);
                tests.put("an executor is told everything in order", LiveTests::anExecutorIsToldEverythingInOrder);
                tests.put("a client without a token asks for one", LiveTests::aClientWithoutATokenAsksForOne);
                tests.put("entries not done are given again to a kiosk",
                                LiveTests::entriesNotDoneAreGivenAgainToAKiosk);
                tests.put("a word is found", LiveTests::aWordIsFound);
                tests.put("who is there is told to both sides", LiveTests::whoIsThereIsToldToBothSides);
                tests.put("messages of four threads arrive once and in order",
                                LiveTests::messagesOfFourThreadsArriveOnceAndInOrder);
                LiveFileTests.add(tests);
                Check.run(tests, arguments.length > 6 ? arguments[6] : null);
        }
}
