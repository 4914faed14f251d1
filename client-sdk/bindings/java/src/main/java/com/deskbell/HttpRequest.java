/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What Transport.http is asked for: struct deskbell_http_request. */
public final class HttpRequest {
        private final String method;
        private final String url;
        private final List<String> headers;
        private final byte[] body;
        private final long maxAnswerBytes;

        HttpRequest(Unpacker in) {
                method = in.text();
                url = in.text();
                List<String> all = new ArrayList<>();
                for (long left = in.number(); left > 0; left--)
                        all.add(new String(in.bytes((int) in.number()), StandardCharsets.ISO_8859_1));
                headers = Collections.unmodifiableList(all);
                body = in.bytes((int) in.number());
                maxAnswerBytes = in.number();
        }

        /** "PUT" or "GET". */
        public String getMethod() {
                return method;
        }

        public String getUrl() {
                return url;
        }

        /** "Name: value". */
        public List<String> getHeaders() {
                return headers;
        }

        /** PUT: at most 256 KiB. */
        public byte[] getBody() {
                return body.clone();
        }

        /** A longer body of the answer is a failure. */
        public long getMaxAnswerBytes() {
                return maxAnswerBytes;
        }
}
