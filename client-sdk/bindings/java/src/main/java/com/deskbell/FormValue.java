/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** What was filled into one field of a form: struct deskbell_form_value. */
public final class FormValue {
        private final String id;
        private final String value;

        /** `id` of the field; `value`: "" = nothing, at most 1,000 characters. */
        public FormValue(String id, String value) {
                this.id = id;
                this.value = value;
        }

        FormValue(Unpacker in) {
                this(in.text(), in.text());
        }

        void pack(Packer out) {
                out.text(id).text(value);
        }

        public String getId() {
                return id;
        }

        public String getValue() {
                return value;
        }
}
