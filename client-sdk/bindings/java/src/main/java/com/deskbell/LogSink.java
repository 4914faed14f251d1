/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** Takes the lines of the log. Never told texts, tokens or names. */
public interface LogSink {
        /** Called on any thread. Must not call into the client: that is refused with WRONG_THREAD. */
        void onLog(Level level, String line);
}
