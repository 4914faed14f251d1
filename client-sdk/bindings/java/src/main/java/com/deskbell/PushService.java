/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** Who brings notifications to a device: enum deskbell_push. */
public enum PushService {
        FCM(1),
        APNS(2),
        WNS(3),
        HMS(4),
        /** The token is the subscription as JSON. */
        WEBPUSH(5),
        CUSTOM(6),
        /** What a newer library tells and this binding does not know. Not to be given to a call. */
        UNKNOWN(Integer.MIN_VALUE);

        private final int code;

        PushService(int code) {
                this.code = code;
        }

        /** The number of enum deskbell_push in deskbell.h. */
        public int getCode() {
                return code;
        }

        static PushService of(long code) {
                for (PushService one : values())
                        if (one.code == code)
                                return one;
                return UNKNOWN;
        }
}
