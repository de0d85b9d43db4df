// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import io.muster.spi.DeviceId;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/**
 * Tells one broker to disconnect devices and operators. If the broker keeps the logins of devices itself, it also gets
 * those. Thread-safe.
 */
interface BrokerManagement extends AutoCloseable {

    /**
     * The broker is reachable, but refuses an order about one device, or cannot be given it. Other devices may be fine.
     */
    final class RefusedException extends IOException {

        private static final long serialVersionUID = 1L;

        RefusedException(String message) {
            super(message);
        }
    }

    /**
     * The result of an order.
     *
     * @param changes how many changes the broker was told to make
     * @param ended whether a right ended, and with it the connections that used it
     * @param until when something that is good now expires, if the broker has to be told then
     */
    record Result(int changes, boolean ended, Optional<Instant> until) {}

    /**
     * Brings the broker's state of a device in line with the registry's database. When it returns, connections with
     * credentials that are no longer good are closed. If the device has no good credential left, its waiting messages
     * are deleted too. A broker that keeps the logins of devices itself then has exactly the good ones.
     *
     * @throws IOException if the broker does not confirm this, for any reason; {@link RefusedException} if it answers
     *     something else. The message contains no secret
     * @throws InterruptedException if the thread is to end
     */
    Result keep(DeviceId device) throws IOException, InterruptedException;

    /**
     * Does the same, and also closes connections with good credentials and deletes the sessions of the device, so that
     * nothing is left of its topics before. The device may connect again.
     *
     * @throws IOException as for {@link #keep}
     * @throws InterruptedException if the thread is to end
     */
    Result anew(DeviceId device) throws IOException, InterruptedException;

    /**
     * Ends all connections of an operator, under any client ids. When it returns, those that existed are closed.
     *
     * @param operator its name, which is the user name
     * @throws IOException as for a device
     * @throws InterruptedException if the thread is to end
     */
    void disconnect(String operator) throws IOException, InterruptedException;

    /**
     * Compares everything that the broker has of this registry with what it should have, and corrects the differences.
     * Does nothing for a broker that keeps no logins.
     *
     * @throws IOException as for a device
     * @throws InterruptedException if the thread is to end
     */
    default void mend() throws IOException, InterruptedException {}

    @Override
    default void close() {}
}
