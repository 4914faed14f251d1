/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Reads what jni/record.c has written, in the same order. `core` makes the objects of conversations. */
final class Unpacker {
        /** Makes a value from what stands next. */
        interface Maker<T> {
                T make(Unpacker in);
        }

        private final Core core;
        private final ByteBuffer room;

        Unpacker(Core core, byte[] record) {
                this.core = core;
                this.room = ByteBuffer.wrap(record).order(ByteOrder.nativeOrder());
        }

        long number() {
                return room.getLong();
        }

        boolean flag() {
                return number() != 0;
        }

        byte[] bytes(int count) {
                byte[] bytes = new byte[count];
                room.get(bytes);
                return bytes;
        }

        /** Never null: the C library's NULL is "". */
        String text() {
                int length = (int) number();
                int at = room.position();
                room.position(at + length);
                return new String(room.array(), at, length, StandardCharsets.UTF_8);
        }

        Conversation conversation() {
                return core.conversation(number());
        }

        <T> List<T> list(Maker<T> maker) {
                int count = (int) number();
                if (count == 0)
                        return Collections.emptyList();
                List<T> all = new ArrayList<>(count);
                for (int i = 0; i < count; i++)
                        all.add(maker.make(this));
                return Collections.unmodifiableList(all);
        }

        /** All was read; otherwise the two sides disagree about the order. */
        void end() {
                if (room.hasRemaining())
                        throw new IllegalStateException("libdeskbell_jni and deskbell.jar are of different versions");
        }
}
