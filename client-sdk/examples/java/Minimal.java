/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest useful program in Java: prints what is said, sends each line typed. Usage: Minimal URL APP TOKEN DIR */
import com.deskbell.Client;
import com.deskbell.Conversation;
import com.deskbell.DeskbellException;
import com.deskbell.Entry;
import com.deskbell.Listener;
import java.util.Scanner;

final class Minimal implements Listener {
        @Override
        public void onEntry(Client client, Entry entry) {
                System.out.println((entry.isMine() ? "me" : entry.getName()) + ": " + entry.getText());
        }

        public static void main(String[] arguments) {
                try (Client client = Client.builder().url(arguments[0])
                                                     .app(arguments[1])
                                                     .token(arguments[2])
                                                     .dataDir(arguments[3])
                                                     .listener(new Minimal())
                                                     .open()) {
                        Conversation conversation = client.openConversation("main");
                        client.connect();
                        Scanner lines = new Scanner(System.in, "UTF-8");
                        while (lines.hasNextLine())
                                conversation.send(lines.nextLine());
                } catch (DeskbellException e) {
                        System.err.println("minimal: " + e.getMessage());
                        System.exit(1);
                }
        }
}
