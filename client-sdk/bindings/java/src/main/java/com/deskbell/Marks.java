/* SPDX-License-Identifier: Apache-2.0 */
package com.deskbell;

/** How far both sides are in the public log: struct deskbell_marks. */
public final class Marks {
        private final long customerRecv;
        private final long customerRead;
        private final long staffRecv;
        private final long staffRead;

        Marks(Unpacker in) {
                customerRecv = in.number();
                customerRead = in.number();
                staffRecv = in.number();
                staffRead = in.number();
        }

        public long getCustomerRecv() {
                return customerRecv;
        }

        public long getCustomerRead() {
                return customerRead;
        }

        public long getStaffRecv() {
                return staffRecv;
        }

        public long getStaffRead() {
                return staffRead;
        }
}
