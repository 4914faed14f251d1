/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** Is told that a token is needed; where the listener is called. */
public interface TokenSource {
        /** Call Client.setToken, now or later. */
        void onToken(Client client);
}
