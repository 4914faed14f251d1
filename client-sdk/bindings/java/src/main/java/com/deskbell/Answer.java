/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/**
 * Takes what a call asked for: exactly once, later, where the listener is called, also when the client is closed
 * meanwhile; never when the call was refused.
 */
public interface Answer<T> {
        void onAnswer(T answer);
}
