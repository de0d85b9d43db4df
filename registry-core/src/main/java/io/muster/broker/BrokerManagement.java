package io.muster.broker;

import io.muster.spi.DeviceId;
import java.io.IOException;
import java.util.List;

/** Tells one broker whom to throw off. Thread-safe. */
interface BrokerManagement {

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
}
