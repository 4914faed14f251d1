/* SPDX-License-Identifier: Apache-2.0 */
/* A customer in a terminal: what is typed is sent, what is said is shown. One thread; works offline too.
 * Usage: terminal URL APP TOKEN FOLDER */
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "deskbell/deskbell.hpp"

int main(int argc, char **argv)
{
        if (argc != 5) {
                std::cerr << "usage: terminal URL APP TOKEN FOLDER\n";
                return 64;
        }
        std::setvbuf(stdin, nullptr, _IONBF, 0); /* so that poll sees each line */
        deskbell::options options;
        options.url = argv[1];
        options.app = argv[2];
        options.token = argv[3];
        options.data_dir = argv[4];
        options.callbacks_by_dispatch = true;
        options.on_entry = [](const deskbell::entry &entry) {
                std::cout << (entry.is_mine        ? "me"
                              : entry.name.empty() ? entry.author
                                                   : entry.name)
                          << ": " << entry.text << std::endl;
                if (!entry.is_mine)
                        entry.conversation.mark_read(entry.number);
        };
        options.on_message = [](const deskbell::message &message) {
                if (message.state == deskbell::message_state::read)
                        std::cout << "[read] " << message.text << std::endl;
                if (message.state == deskbell::message_state::failed)
                        std::cout << "[failed: " << message.tag << "] " << message.text << std::endl;
        };
        try {
                deskbell::client client(std::move(options));
                deskbell::conversation conversation = client.open_conversation("main");
                client.connect();
                pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {client.fd(), POLLIN, 0}};
                for (std::string line; poll(fds, 2, -1) > 0;) {
                        if (fds[1].revents)
                                client.dispatch();
                        if (fds[0].revents && !std::getline(std::cin, line))
                                return 0;
                        if (fds[0].revents && !line.empty())
                                conversation.send(line);
                }
        } catch (const deskbell::error &error) {
                std::cerr << "terminal: " << error.what() << '\n';
                return 70;
        }
}
