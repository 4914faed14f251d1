/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/** Sleeps until callbacks wait and has them run by the application's executor, one task at a time. */
final class Watcher implements Runnable {
        private final Core core;
        private final Executor executor;

        private Watcher(Core core, Executor executor) {
                this.core = core;
                this.executor = executor;
        }

        static void start(Core core, Executor executor) {
                Thread thread = new Thread(new Watcher(core, executor), "deskbell-watcher");
                thread.setDaemon(true);
                thread.start();
        }

        @Override
        public void run() {
                try {
                        while (core.isOpenOrWait())
                                runOnce();
                } catch (RejectedExecutionException e) {
                        core.say(Level.WARN, "the executor takes no callbacks any more");
                }
        }

        private void runOnce() {
                boolean[] isDone = new boolean[1];
                try {
                        if (core.call(client -> Native.await(client, -1)) == 0)
                                return;
                } catch (IllegalStateException e) {
                        return; /* it ends, or a log-out is tried */
                }
                executor.execute(() -> {
                        try {
                                core.dispatchAll();
                        } finally {
                                core.raise(isDone);
                        }
                });
                core.sleepUntil(isDone);
        }
}
