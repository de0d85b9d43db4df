package io.muster.broker;

import io.muster.spi.DeviceId;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/** Tells one broker whom to throw off, and, where the broker keeps the logins of devices itself, who may log in. Thread-safe. */
interface BrokerManagement extends AutoCloseable {

    /** The broker is there, and does not do what it is told of one device, or cannot be told it; others are another matter. */
    final class RefusedException extends IOException {

        private static final long serialVersionUID = 1L;

        RefusedException(String message) {
            super(message);
        }
    }

    /**
     * What came of it.
     *
     * @param changes how many things the broker was told to change
     * @param ended whether something ended, and with it the connections by it
     * @param until when something that is good now ends by itself, if the broker has to be told so then
     */
    record Kept(int changes, boolean ended, Optional<Instant> until) {}

    /**
     * Makes what the broker has of a device what the registry says, by the database: connections by credentials that are no longer good are
     * gone when it returns, and what waits for a device that has nothing left to log in with is too. A broker that keeps the logins of
     * devices itself then has those that are good.
     *
     * @throws IOException if the broker does not say so, for whatever reason, {@link RefusedException} if it answers something else; the text
     *     has no secret in it
     * @throws InterruptedException if the thread is to end
     */
    Kept keep(DeviceId device) throws IOException, InterruptedException;

    /**
     * Ends all connections of an operator, under whatever client ids. When it returns, those that there were are gone.
     *
     * @param operator its name, which is the user name
     * @throws IOException as for a device
     * @throws InterruptedException if the thread is to end
     */
    void disconnect(String operator) throws IOException, InterruptedException;

    /**
     * Compares all that the broker has of this registry with what it should have, and mends the differences; nothing, for a broker
     * that keeps no logins.
     *
     * @throws IOException as for a device
     * @throws InterruptedException if the thread is to end
     */
    default void mend() throws IOException, InterruptedException {}

    @Override
    default void close() {}
}
