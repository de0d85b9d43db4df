package io.muster.broker;

import io.muster.spi.DeviceId;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Tells one broker whom to throw off, and, where the broker keeps the logins of devices itself, who may log in. Thread-safe. */
interface BrokerManagement extends AutoCloseable {

    /** The broker is there, and does not do what it is told. */
    final class RefusedException extends IOException {

        private static final long serialVersionUID = 1L;

        RefusedException(String message) {
            super(message);
        }
    }

    /**
     * Ends a device's connections, if it has any. When it returns, those that there were are gone.
     *
     * @param keys the user names that are no longer good
     * @param forGood whether the device has nothing left to log in with, so that what waits for it is in vain
     * @throws IOException if the broker does not say so, for whatever reason, {@link RefusedException} if it answers something else; the text
     *     has no secret in it
     * @throws InterruptedException if the thread is to end
     */
    void disconnect(DeviceId device, List<String> keys, boolean forGood) throws IOException, InterruptedException;

    /**
     * Ends all connections of an operator, under whatever client ids. When it returns, those that there were are gone.
     *
     * @param operator its name, which is the user name
     * @throws IOException as for a device
     * @throws InterruptedException if the thread is to end
     */
    void disconnect(String operator) throws IOException, InterruptedException;

    /**
     * What came of making a device's logins right.
     *
     * @param changes how many things differed
     * @param ended whether logins went, and with them the connections that they had
     * @param until when a login that is there now ends by itself
     */
    record Kept(int changes, boolean ended, Optional<Instant> until) {}

    /**
     * Makes the logins that the broker has of a device what the registry says. When it returns they are, and connections by others are
     * gone. Only for a broker that keeps logins.
     *
     * @throws IOException as for {@link #disconnect}
     * @throws InterruptedException if the thread is to end
     */
    default Kept keep(DeviceId device) throws IOException, InterruptedException {
        throw new UnsupportedOperationException("this broker keeps no logins");
    }

    /**
     * Compares all that the broker has of this registry with what it should have, and mends the differences. Only for a broker that keeps
     * logins.
     *
     * @throws IOException as for {@link #disconnect}
     * @throws InterruptedException if the thread is to end
     */
    default void mend() throws IOException, InterruptedException {
        throw new UnsupportedOperationException("this broker keeps no logins");
    }

    @Override
    default void close() {}
}
