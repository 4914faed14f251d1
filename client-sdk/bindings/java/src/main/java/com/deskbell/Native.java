/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/**
 * The functions of libdeskbell_jni. `client` is a struct bridge, `conversation`, `link` and `exchange` are the C
 * library's pointers; who calls has made sure that they live (Core.enter). Results below 0 are ErrorCode.
 *
 * The library is found by the property com.deskbell.library (a path), else as System.loadLibrary finds it. The C
 * library under it must be at least as new as this file, and of the same series.
 */
final class Native {
        private static final int[] VERSION = {0, 1, 0};

        private Native() {
        }

        static {
                String path = System.getProperty("com.deskbell.library");
                if (path != null)
                        System.load(path);
                else
                        System.loadLibrary("deskbell_jni");
                checkVersion(version());
        }

        private static void checkVersion(String told) {
                String[] parts = told.split("\\.");
                int patch = Integer.parseInt(parts[2]);
                if (Integer.parseInt(parts[0]) != VERSION[0] || Integer.parseInt(parts[1]) != VERSION[1]
                                || patch < VERSION[2])
                        throw new UnsatisfiedLinkError("deskbell: the library is version " + told
                                        + ", and this package is for " + VERSION[0] + "." + VERSION[1] + "."
                                        + VERSION[2]);
        }

        static native String version();
        static native String errorText(int error);

        static native long create(Core core, Plug plug); /* 0 = out of memory; plug may be null */
        static native void destroy(long client);
        static native int open(long client, byte[] options);
        static native int close(long client);
        static native int mute(long client);
        static native int connect(long client);
        static native int disconnect(long client);
        static native int networkChanged(long client);
        static native int setBackground(long client, boolean isBackground);
        static native int setToken(long client, byte[] token);
        static native int changeStoreKey(long client, byte[] newKey);
        static native int logOut(long client, boolean discard, boolean[] wasTold);
        static native int fd(long client);
        static native int dispatch(long client, int max);
        static native int await(long client, int timeoutMs);
        static native void wake(long client, boolean isOn);
        static native int setPush(long client, int service, byte[] token);
        static native int pushReceived(long client, byte[] conversation, long seq, boolean[] isNews);
        static native int setPresence(long client, int availability);
        static native int conversationOpen(long client, byte[] key, long[] conversation);
        static native int conversationOpenId(long client, byte[] id, long[] conversation);
        static native int conversations(long client, byte[][] record);
        static native String cmidNew(long client);
        static native int retry(long client, byte[] cmid, String[] newCmid);
        static native int forget(long client, byte[] cmid);
        static native int uploadPause(long client, byte[] cmid);
        static native int uploadResume(long client, byte[] cmid);
        static native int uploadCancel(long client, byte[] cmid);
        static native int fetchFile(long client, byte[] what, long owed, boolean hasProgress, long[] fetch);
        static native int cancelFetch(long client, long fetch);
        static native int search(long client, byte[] how, long owed);
        static native int status(long client, byte[][] record);

        static native boolean conversationIsOf(long conversation, long client);
        static native String conversationId(long conversation);
        static native int conversationClose(long conversation);
        static native int send(long conversation, byte[] what, String[] cmid);
        static native int edit(long conversation, byte[] what, String[] cmid);
        static native int erase(long conversation, byte[] what, String[] cmid);
        static native int sendFile(long conversation, byte[] what, Object[] bytes, String[] cmid);
        static native int markRead(long conversation, long seq);
        static native int typing(long conversation);
        static native int entryDone(long conversation, int log, long number);
        static native int history(long conversation, long client, byte[] how, long owed);
        static native int formCheck(byte[] formAndValues, byte[][] wrong);
        static native int surveyAnswer(long conversation, byte[] what, String[] cmid);
        static native int surveyCheck(byte[] surveyAndRating, byte[][] wrong);

        static native void linkOpened(long link);
        static native boolean linkText(long link, byte[] message);
        static native void linkClosed(long link, int code);
        static native void linkFailed(long link, byte[] whyAndDetail, long retryAfterMs);
        static native void httpDone(long exchange, byte[] head, byte[] body);
}
