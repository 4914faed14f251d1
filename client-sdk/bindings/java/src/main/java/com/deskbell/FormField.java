/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.List;

/** A field of a form: struct deskbell_form_field. */
public final class FormField {
        private final String id;
        private final String label;
        private final String input;
        private final boolean isRequired;

        public FormField(String id, String label, String input, boolean isRequired) {
                this.id = id;
                this.label = label;
                this.input = input;
                this.isRequired = isRequired;
        }

        FormField(Unpacker in) {
                this(in.text(), in.text(), in.text(), in.flag());
        }

        /**
         * Looks whether `values` answer the fields of a form, as Conversation.send does; pure. The id of the first that
         * does not fit, null when all do.
         */
        public static String check(List<FormField> form, List<FormValue> values) {
                Packer in = new Packer().number(form.size());
                for (FormField field : form)
                        in.text(field.id).text(field.label).text(field.input).flag(field.isRequired);
                in.number(values.size());
                for (FormValue value : values)
                        value.pack(in);
                byte[][] wrong = new byte[1][];
                int rc = Native.formCheck(in.bytes(), wrong);
                if (rc == ErrorCode.FORM.getCode())
                        return new Unpacker(null, wrong[0]).text();
                DeskbellException.check(rc);
                return null;
        }

        public String getId() {
                return id;
        }

        public String getLabel() {
                return label;
        }

        /** "text", "email", "number" or "date". */
        public String getInput() {
                return input;
        }

        public boolean isRequired() {
                return isRequired;
        }
}
