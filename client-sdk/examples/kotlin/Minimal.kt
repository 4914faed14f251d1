/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest useful program in Kotlin: prints what is said, sends what is typed. Usage: Minimal URL APP TOKEN DIR */
import com.deskbell.DeskbellException
import com.deskbell.kotlin.callbacks
import com.deskbell.kotlin.openClient
import kotlin.system.exitProcess

fun main(arguments: Array<String>) {
        val (url, app, token, folder) = arguments
        try {
                openClient {
                        url(url).app(app).token(token).dataDir(folder)
                        callbacks { onEntry { println("${if (it.isMine) "me" else it.name}: ${it.text}") } }
                }.use { client ->
                        val conversation = client.openConversation("main")
                        client.connect()
                        generateSequence(::readLine).forEach { conversation.send(it) }
                }
        } catch (e: DeskbellException) {
                System.err.println("minimal: ${e.message}")
                exitProcess(1)
        }
}
