/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.HashMap;
import java.util.Map;

/** Closes clients that nobody references any more, and says so to their log: each of them is a forgotten close. */
final class Reaper {
        private static final ReferenceQueue<Client> QUEUE = new ReferenceQueue<>();
        private static final Map<Core, Watched> OPEN = new HashMap<>();
        private static Thread thread;

        private static final class Watched extends PhantomReference<Client> {
                final Core core;

                Watched(Client client, Core core) {
                        super(client, QUEUE);
                        this.core = core;
                }
        }

        private Reaper() {
        }

        static void watch(Client client, Core core) {
                synchronized (OPEN) {
                        OPEN.put(core, new Watched(client, core));
                        if (thread == null) {
                                thread = new Thread(Reaper::run, "deskbell-reaper");
                                thread.setDaemon(true);
                                thread.start();
                        }
                }
        }

        static void forget(Core core) {
                synchronized (OPEN) {
                        OPEN.remove(core);
                }
        }

        private static void run() {
                while (true) {
                        try {
                                Core core = ((Watched) QUEUE.remove()).core;
                                core.say(Level.WARN, "a client that was not closed is gone: it is closed now");
                                core.close();
                        } catch (InterruptedException | RuntimeException e) {
                                continue; /* this thread is nobody's to interrupt; a close that fails was said by C */
                        }
                }
        }
}
