/* SPDX-License-Identifier: Apache-2.0 */
/* The Kotlin layer with a real server: live.py starts it with URL APP TOKEN AGENT_TOKEN CONVERSATION FOLDER. In the
 * conversation lie, from 1: a text, choices, a card, a form and an article of the agent. */
import com.deskbell.Attachment
import com.deskbell.Client
import com.deskbell.Entry
import com.deskbell.EntryLog
import com.deskbell.ErrorCode
import com.deskbell.FileOptions
import com.deskbell.FileSource
import com.deskbell.Kind
import com.deskbell.MessageState
import com.deskbell.kotlin.NoAnswer
import com.deskbell.kotlin.callbacks
import com.deskbell.kotlin.entriesBackwards
import com.deskbell.kotlin.fetch
import com.deskbell.kotlin.found
import com.deskbell.kotlin.openClient
import com.deskbell.kotlin.page
import com.deskbell.kotlin.send
import java.io.File
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.system.exitProcess

class Given(val url: String, val app: String, val token: String, val agentToken: String, val conversation: String,
            val folder: String)

fun <T : Any> LinkedBlockingQueue<T>.next(): T =
                poll(60, TimeUnit.SECONDS) ?: throw AssertionError("nothing came in 60 s")

fun same(expected: Any?, found: Any?) {
        if (expected != found)
                throw AssertionError("found $found, expected $expected")
}

fun refused(error: ErrorCode, call: () -> Unit) {
        try {
                call()
        } catch (e: NoAnswer) {
                return same(error, e.error)
        }
        throw AssertionError("nothing was thrown, expected $error")
}

fun online(given: Given, device: String, entries: LinkedBlockingQueue<Entry> = LinkedBlockingQueue()): Client {
        val isCaughtUp = CountDownLatch(1)
        val client = openClient {
                url(given.url).app(given.app).token(given.token).dataDir("${given.folder}/$device")
                callbacks {
                        onState { if (it.isCaughtUp) isCaughtUp.countDown() }
                        onEntry { entries.add(it) }
                }
        }
        client.openConversation("main")
        client.connect()
        same(true, isCaughtUp.await(60, TimeUnit.SECONDS))
        return client
}

fun aConversationIsReadBackwardsPageByPage(given: Given) = online(given, "backwards").use { client ->
        val main = client.openConversation("main")
        val states = (1..7).map { main.send("line $it") { waitForDisk() } }
        same(7, states.toSet().size)
        while (client.status.queued > 0)
                client.conversations
        val all = main.entriesBackwards(pageSize = 5).toList()
        same(((all.first().number) downTo 1L).toList(), all.map { it.number })
        same("welcome", all.last().text)
        same(Kind.CHOICES, all[all.size - 2].kind)
        same(listOf(1L, 2L, 3L), main.page { after(0).limit(3) }.entries.map { it.number })
        same(2, main.entriesBackwards().take(2).count())
}

fun whatIsLookedForIsFound(given: Given) = online(given, "seeker").use { client ->
        var page = client.found("welcome") { limit(5) }
        for (i in 1..100) { /* the index follows */
                if (page.found.isNotEmpty())
                        break
                Thread.sleep(50) /* and tells nobody when it has */
                page = client.found("welcome") { limit(5) }
        }
        same(given.conversation, page.found[0].conversation)
        same(listOf(1L, "welcome", EntryLog.PUBLIC), listOf(page.found[0].number, page.found[0].hit, page.found[0].log))
}

fun aFileIsFetchedOrThereIsNoAnswer(given: Given) {
        val entries = LinkedBlockingQueue<Entry>()
        online(given, "fetcher", entries).use { client ->
                val source = FileSource.ofBytes(ByteArray(1000) { it.toByte() })
                client.openConversation("main").sendFile(FileOptions().text("from Kotlin").file(source))
                var entry = entries.next()
                while (entry.text != "from Kotlin")
                        entry = entries.next()
                val path = "${given.folder}/kotlin.bin"
                same(path, client.fetch(entry.files[0], path).path)
                same(1000L, File(path).length())
                refused(ErrorCode.NOT_FOUND) {
                        client.fetch(Attachment("0".repeat(32), "x", "image/png", 5, 0, 0, ByteArray(32)), path + "2")
                }
        }
}

fun waitingInsideACallbackIsRefused(given: Given) {
        val refusal = CompletableFuture<Exception>()
        val sent = LinkedBlockingQueue<MessageState>()
        openClient {
                url(given.url).app(given.app).token(given.token)
                callbacks {
                        onMessage {
                                sent.add(it.state)
                                try {
                                        it.conversation.page()
                                } catch (e: IllegalStateException) {
                                        refusal.complete(e)
                                }
                        }
                }
        }.use { client ->
                client.openConversation("main").send("x")
                same(true, refusal.get(60, TimeUnit.SECONDS).message!!.contains("callback"))
                same(MessageState.QUEUED, sent.next())
        }
}

fun main(arguments: Array<String>) {
        val given = Given(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5])
        val tests = listOf<Pair<String, (Given) -> Unit>>(
                        "a conversation is read backwards page by page" to ::aConversationIsReadBackwardsPageByPage,
                        "what is looked for is found" to ::whatIsLookedForIsFound,
                        "a file is fetched or there is no answer" to ::aFileIsFetchedOrThereIsNoAnswer,
                        "waiting inside a callback is refused" to ::waitingInsideACallbackIsRefused)
        var failed = 0
        for ((name, test) in tests) {
                try {
                        test(given)
                        println("ok   $name")
                } catch (e: Throwable) {
                        failed++
                        println("FAIL $name: $e")
                        e.printStackTrace(System.out)
                }
        }
        exitProcess(if (failed == 0) 0 else 1)
}
