/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** One of the answers that an entry offers: struct deskbell_choice. */
public final class Choice {
        private final String id;
        private final String label;

        Choice(Unpacker in) {
                id = in.text();
                label = in.text();
        }

        public String getId() {
                return id;
        }

        public String getLabel() {
                return label;
        }
}
