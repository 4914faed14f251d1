/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** Which page of what is found: struct deskbell_search_options. */
public final class SearchOptions {
        private int limit = 20;
        private String before;

        /** 1-50. */
        public SearchOptions limit(int entries) {
                limit = entries;
                return this;
        }

        /** SearchPage.getNext of the page before. */
        public SearchOptions before(String next) {
                before = next;
                return this;
        }

        void pack(Packer out) {
                out.number(limit).text(before);
        }
}
