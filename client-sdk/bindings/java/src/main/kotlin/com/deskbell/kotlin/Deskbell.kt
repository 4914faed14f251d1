/* SPDX-License-Identifier: Apache-2.0 */
/* What Kotlin adds to com.deskbell: a client in one expression, callbacks as lambdas, and pages that are waited for.
 * All functions of the Java classes are there as they are; getters read as properties (entry.text, message.state).
 *
 *     val client = openClient {
 *         url("wss://support.example.com/v1/ws").app("app_0000000000000").token(token).dataDir(folder)
 *         callbacks { onEntry { println("${it.author}: ${it.text}") } }
 *     }
 *
 * What waits (page, found, fetch, entriesBackwards) may be called on any thread but inside a callback of the same
 * client, and with callbacks by dispatch not on the thread that dispatches: there the answer could never come. It waits
 * as long as the network makes it; closing the client ends it with CANCELLED. */
package com.deskbell.kotlin

import com.deskbell.Answer
import com.deskbell.Attachment
import com.deskbell.Client
import com.deskbell.ClientBuilder
import com.deskbell.Conversation
import com.deskbell.ConversationInfo
import com.deskbell.DeviceAnswer
import com.deskbell.Entry
import com.deskbell.EntryLog
import com.deskbell.ErrorCode
import com.deskbell.Fetched
import com.deskbell.HistoryOptions
import com.deskbell.HistoryPage
import com.deskbell.Listener
import com.deskbell.Message
import com.deskbell.NoticeKind
import com.deskbell.Presence
import com.deskbell.Progress
import com.deskbell.SearchOptions
import com.deskbell.SearchPage
import com.deskbell.SendOptions
import com.deskbell.State
import java.util.concurrent.ArrayBlockingQueue

/** Opens a client with what `configure` sets. */
fun openClient(configure: ClientBuilder.() -> Unit): Client = Client.builder().apply(configure).open()

/** Sets a listener made of the lambdas that `configure` names. */
fun ClientBuilder.callbacks(configure: Callbacks.() -> Unit): ClientBuilder = listener(Callbacks().apply(configure))

/** A listener of lambdas; what is not set is not told. Set them before the client is opened. */
class Callbacks : Listener {
        private var state: (State) -> Unit = {}
        private var entry: (Entry) -> Unit = {}
        private var message: (Message) -> Unit = {}
        private var conversation: (ConversationInfo) -> Unit = {}
        private var opened: (Conversation, Long, Long) -> Unit = { _, _, _ -> }
        private var typing: (Conversation, String, Boolean) -> Unit = { _, _, _ -> }
        private var unread: (Long) -> Unit = {}
        private var notice: (NoticeKind, Conversation?, String) -> Unit = { _, _, _ -> }
        private var progress: (Progress) -> Unit = {}
        private var presence: (Presence) -> Unit = {}
        private var pushSettled: (Boolean) -> Unit = {}
        private var deviceAnswer: (DeviceAnswer) -> Unit = {}

        fun onState(call: (State) -> Unit) {
                state = call
        }

        fun onEntry(call: (Entry) -> Unit) {
                entry = call
        }

        fun onMessage(call: (Message) -> Unit) {
                message = call
        }

        fun onConversation(call: (ConversationInfo) -> Unit) {
                conversation = call
        }

        /** Told the conversation, and the highest seq and iseq of its snapshot. */
        fun onOpened(call: (Conversation, Long, Long) -> Unit) {
                opened = call
        }

        /** Told the conversation, the author, and whether he writes. */
        fun onTyping(call: (Conversation, String, Boolean) -> Unit) {
                typing = call
        }

        fun onUnread(call: (Long) -> Unit) {
                unread = call
        }

        fun onNotice(call: (NoticeKind, Conversation?, String) -> Unit) {
                notice = call
        }

        fun onProgress(call: (Progress) -> Unit) {
                progress = call
        }

        fun onPresence(call: (Presence) -> Unit) {
                presence = call
        }

        fun onPushSettled(call: (Boolean) -> Unit) {
                pushSettled = call
        }

        fun onDeviceAnswer(call: (DeviceAnswer) -> Unit) {
                deviceAnswer = call
        }

        override fun onState(client: Client, state: State) = this.state(state)

        override fun onEntry(client: Client, entry: Entry) = this.entry(entry)

        override fun onMessage(client: Client, message: Message) = this.message(message)

        override fun onConversation(client: Client, info: ConversationInfo) = conversation(info)

        override fun onOpened(client: Client, conversation: Conversation, seq: Long, iseq: Long) =
                        opened(conversation, seq, iseq)

        override fun onTyping(client: Client, conversation: Conversation, author: String, isTyping: Boolean) =
                        typing(conversation, author, isTyping)

        override fun onUnread(client: Client, total: Long) = unread(total)

        override fun onNotice(client: Client, notice: NoticeKind, conversation: Conversation?, detail: String) =
                        this.notice(notice, conversation, detail)

        override fun onProgress(client: Client, progress: Progress) = this.progress(progress)

        override fun onPresence(client: Client, presence: Presence) = this.presence(presence)

        override fun onPushSettled(client: Client, isCaughtUp: Boolean) = pushSettled(isCaughtUp)

        override fun onDeviceAnswer(client: Client, answer: DeviceAnswer) = deviceAnswer(answer)
}

/** Why there is no page, no file. */
class NoAnswer(val error: ErrorCode) : Exception("no answer: $error")

/** Sends a text; its cmid. */
fun Conversation.send(text: String, configure: SendOptions.() -> Unit): String =
                send(text, SendOptions().apply(configure))

/** The page, or NoAnswer. */
fun Conversation.page(configure: HistoryOptions.() -> Unit = {}): HistoryPage {
        val page = client.waitFor<HistoryPage> { history(HistoryOptions().apply(configure), it) }
        return page.also { check(it.error) }
}

/** All entries of a log from the newest to the first, fetched a page at a time as they are read. */
fun Conversation.entriesBackwards(log: EntryLog = EntryLog.PUBLIC, pageSize: Int = 50): Sequence<Entry> = sequence {
        var before = 0L
        do {
                val page = page { log(log).limit(pageSize).before(before) }
                yieldAll(page.entries.asReversed())
                before = page.entries.firstOrNull()?.number ?: 0L
        } while (before > 1 && page.hasMore())
}

/** What the server finds, or NoAnswer. */
fun Client.found(query: String, configure: SearchOptions.() -> Unit = {}): SearchPage {
        val page = waitFor<SearchPage> { search(query, SearchOptions().apply(configure), it) }
        return page.also { check(it.error) }
}

/** Fetches a file of an entry to `path`, or throws NoAnswer. */
fun Client.fetch(file: Attachment, path: String): Fetched {
        val fetched = waitFor<Fetched> { fetchFile(file, path, null, it) }
        return fetched.also { check(it.error) }
}

private fun check(error: ErrorCode) {
        if (error != ErrorCode.OK)
                throw NoAnswer(error)
}

private fun <T : Any> Client.waitFor(ask: (Answer<T>) -> Unit): T {
        kotlin.check(!isInCallback) { "waiting inside a callback would be for ever" }
        val answers = ArrayBlockingQueue<T>(1)
        ask(Answer { answers.add(it) })
        return answers.take()
}
