/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Arguments of a native call in one array, as jni/record.c reads them: numbers of 8 bytes in the machine's order; a
 * text is its length (-1 = null), its UTF-8 and a zero byte. Always true: every text in it is whole UTF-8 without a
 * zero.
 */
final class Packer {
        private ByteBuffer room = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());

        private ByteBuffer room(int more) {
                if (room.remaining() < more) {
                        int size = Math.max(room.capacity() * 2, room.position() + more);
                        byte[] larger = Arrays.copyOf(room.array(), size);
                        Arrays.fill(room.array(), (byte) 0);
                        int at = room.position();
                        room = ByteBuffer.wrap(larger).order(ByteOrder.nativeOrder());
                        room.position(at);
                }
                return room;
        }

        Packer number(long number) {
                room(8).putLong(number);
                return this;
        }

        Packer flag(boolean isSet) {
                return number(isSet ? 1 : 0);
        }

        /** An identifier, path or the like. */
        Packer text(String text) {
                return text(text, ErrorCode.INVALID);
        }

        /** `refusal` is thrown for half a surrogate pair, and for a zero, which would hide the rest. */
        Packer text(String text, ErrorCode refusal) {
                if (text == null)
                        return number(-1);
                ByteBuffer utf8 = encode(text, refusal);
                number(utf8.remaining());
                room(utf8.remaining() + 1).put(utf8).put((byte) 0);
                return this;
        }

        private static ByteBuffer encode(String text, ErrorCode refusal) {
                if (text.indexOf(0) >= 0)
                        throw new DeskbellException(refusal);
                try {
                        return StandardCharsets.UTF_8.newEncoder()
                                        .onMalformedInput(CodingErrorAction.REPORT)
                                        .encode(CharBuffer.wrap(text));
                } catch (CharacterCodingException e) {
                        throw new DeskbellException(refusal);
                }
        }

        Packer raw(byte[] bytes) {
                room(bytes.length).put(bytes);
                return this;
        }

        byte[] bytes() {
                return Arrays.copyOf(room.array(), room.position());
        }

        /** The bytes, and what this packer held of them is wiped; who gets them wipes them too. */
        byte[] takeSecret() {
                byte[] bytes = bytes();
                Arrays.fill(room.array(), (byte) 0);
                return bytes;
        }

        /** One text alone. */
        static byte[] of(String text) {
                return new Packer().text(text).bytes();
        }
}
