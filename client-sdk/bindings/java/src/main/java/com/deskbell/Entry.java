/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.util.List;

/** What stands in a conversation: struct deskbell_entry. */
public final class Entry {
        private final Conversation conversation;
        private final Origin origin;
        private final EntryLog log;
        private final long number;
        private final long atSeq;
        private final String epoch;
        private final long tsMs;
        private final String author;
        private final String name;
        private final boolean isMine;
        private final String cmid;
        private final Kind kind;
        private final long version;
        private final long of;
        private final long replyTo;
        private final String text;
        private final List<Choice> choices;
        private final List<FormField> form;
        private final String title;
        private final String link;
        private final long pressedSeq;
        private final String pressedId;
        private final byte[] hash;
        private final List<Attachment> files;
        private final long filledSeq;
        private final List<FormValue> filled;
        private final Survey survey;

        Entry(Unpacker in) {
                conversation = in.conversation();
                origin = Origin.of(in.number());
                log = EntryLog.of(in.number());
                number = in.number();
                atSeq = in.number();
                epoch = in.text();
                tsMs = in.number();
                author = in.text();
                name = in.text();
                isMine = in.flag();
                cmid = in.text();
                kind = Kind.of(in.number());
                version = in.number();
                of = in.number();
                replyTo = in.number();
                text = in.text();
                choices = in.list(Choice::new);
                form = in.list(FormField::new);
                title = in.text();
                link = in.text();
                pressedSeq = in.number();
                pressedId = in.text();
                hash = in.bytes(16);
                files = in.list(Attachment::new);
                filledSeq = in.number();
                filled = in.list(FormValue::new);
                survey = in.flag() ? new Survey(in) : null;
        }

        public Conversation getConversation() {
                return conversation;
        }

        public Origin getOrigin() {
                return origin;
        }

        public EntryLog getLog() {
                return log;
        }

        /** Its place: seq, or iseq in the team log; 1 and up, without holes. */
        public long getNumber() {
                return number;
        }

        /** Team log: the public head when it was written; else 0. */
        public long getAtSeq() {
                return atSeq;
        }

        /** 16 hex digits; numbers of different epochs do not compare. */
        public String getEpoch() {
                return epoch;
        }

        /** The server's time; for display only. */
        public long getTsMs() {
                return tsMs;
        }

        /** "usr_...", "agt_...", "bot_...", "sys", "gone". */
        public String getAuthor() {
                return author;
        }

        /** Display name of an agent or bot, "" = none told. */
        public String getName() {
                return name;
        }

        /** This user wrote it, on whatever device. */
        public boolean isMine() {
                return isMine;
        }

        /** The author's id of the message, "" = none. */
        public String getCmid() {
                return cmid;
        }

        public Kind getKind() {
                return kind;
        }

        /** Of the content shown; 1 = never edited. EDIT: the version it made. */
        public long getVersion() {
                return version;
        }

        /** EDIT, ERASE: the number of the message in the same log; else 0. */
        public long getOf() {
                return of;
        }

        /** The seq it answers, 0 = none. */
        public long getReplyTo() {
                return replyTo;
        }

        /** What to show; the fallback text where the kind has no text of its own; "" = nothing. */
        public String getText() {
                return text;
        }

        /** CHOICES; else empty. */
        public List<Choice> getChoices() {
                return choices;
        }

        /** FORM; else empty. */
        public List<FormField> getForm() {
                return form;
        }

        /** CARD, ARTICLE; else "". */
        public String getTitle() {
                return title;
        }

        /** CARD, ARTICLE: http, https or mailto; "" = none. */
        public String getLink() {
                return link;
        }

        /** TEXT: the choices entry that was tapped, 0 = none. */
        public long getPressedSeq() {
                return pressedSeq;
        }

        /** And the choice. */
        public String getPressedId() {
                return pressedId;
        }

        /** Of kind and content, as the delivery contract defines it. */
        public byte[] getHash() {
                return hash.clone();
        }

        /** ATTACHMENT: 1-10 of them; else empty. */
        public List<Attachment> getFiles() {
                return files;
        }

        /** TEXT: the form entry that was filled in, 0 = none; the text says the same in words. */
        public long getFilledSeq() {
                return filledSeq;
        }

        /** What was filled in; else empty. */
        public List<FormValue> getFilled() {
                return filled;
        }

        /** SURVEY, RATING, SURVEY_END; else null. */
        public Survey getSurvey() {
                return survey;
        }
}
