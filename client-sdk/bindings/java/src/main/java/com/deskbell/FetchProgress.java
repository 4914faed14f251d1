/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** How far a fetch is, in bytes; where the listener is called. */
public interface FetchProgress {
        void onProgress(long received, long total);
}
