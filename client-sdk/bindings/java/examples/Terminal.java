/* SPDX-License-Identifier: Apache-2.0 */
import com.deskbell.Client;
import com.deskbell.Conversation;
import com.deskbell.DeskbellException;
import com.deskbell.Entry;
import com.deskbell.Listener;
import com.deskbell.Message;
import com.deskbell.MessageState;
import java.util.Scanner;

/**
 * A customer in a terminal: what is typed is sent, what is said is shown. Works offline too. Usage: Terminal URL APP
 * TOKEN FOLDER
 */
final class Terminal implements Listener {
        @Override
        public void onEntry(Client client, Entry entry) {
                String author = entry.getName().isEmpty() ? entry.getAuthor() : entry.getName();
                System.out.println((entry.isMine() ? "me" : author) + ": " + entry.getText());
                if (!entry.isMine())
                        entry.getConversation().markRead(entry.getNumber());
        }

        @Override
        public void onMessage(Client client, Message message) {
                if (message.getState() == MessageState.READ)
                        System.out.println("[read] " + message.getText());
                if (message.getState() == MessageState.FAILED)
                        System.out.println("[failed: " + message.getTag() + "] " + message.getText());
        }

        public static void main(String[] arguments) {
                if (arguments.length != 4) {
                        System.err.println("usage: Terminal URL APP TOKEN FOLDER");
                        System.exit(2);
                }
                try (Client client = Client.builder().url(arguments[0])
                                                     .app(arguments[1])
                                                     .token(arguments[2])
                                                     .dataDir(arguments[3])
                                                     .listener(new Terminal())
                                                     .open()) {
                        Conversation conversation = client.openConversation("main");
                        client.connect();
                        Scanner lines = new Scanner(System.in, "UTF-8");
                        while (lines.hasNextLine()) {
                                String line = lines.nextLine();
                                if (!line.trim().isEmpty())
                                        conversation.send(line);
                        }
                } catch (DeskbellException e) {
                        System.err.println("terminal: " + e.getMessage());
                        System.exit(1);
                }
        }
}
