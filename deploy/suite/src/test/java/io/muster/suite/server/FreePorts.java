package io.muster.suite.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Free ports of the loopback address, below the range from which the system takes the ports of outgoing connections, so that a
 * server finds its port free when it is started again.
 */
final class FreePorts {

    private final Set<Integer> taken = new HashSet<>();

    /** A port that is free now and that this object has not given before. */
    int next() {
        for (int attempt = 0; attempt < 500; attempt++) {
            int candidate = ThreadLocalRandom.current().nextInt(23_000, 32_000);
            if (isFree(candidate) && taken.add(candidate)) {
                return candidate;
            }
        }
        throw new IllegalStateException("no free port between 23000 and 32000");
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException inUse) {
            return false;
        }
    }
}
