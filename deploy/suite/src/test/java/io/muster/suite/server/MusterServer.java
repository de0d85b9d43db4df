// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import java.net.URI;
import java.nio.file.Path;

/**
 * A running Muster, seen from outside: an address, a log, a data directory, and a process that can be stopped, killed
 * and started again. Every port that it opens is on the loopback address. It ends no later than this JVM, unless this
 * JVM is killed with SIGKILL.
 *
 * <p>Not for concurrent use, except that requests may go on meanwhile.
 */
public interface MusterServer extends AutoCloseable {

    /**
     * Starts Muster on the server that the system property {@code muster.server} names ({@link ServerKind#selected()});
     * on return it is ready.
     *
     * @throws ServerFailedException if it does not become ready
     */
    static MusterServer start(ServerSettings settings) {
        return ServerKind.selected().start(settings);
    }

    /** Which server this is; for the few answers that are known to differ. */
    ServerKind kind();

    /** Where Muster answers, ending in a slash; the same after {@link #restart()}. */
    URI base();

    /** The id of the server's own JVM, not of a script around it. */
    long pid();

    /**
     * Asks the server to stop, as an operator would (SIGTERM), and waits until it has stopped. Harmless if it has
     * ended.
     */
    void stop();

    /** Ends the server at once (SIGKILL); the data stays. Harmless if it has ended. */
    void kill();

    /**
     * Starts again on the same port with the same data, after an orderly stop if it still runs. On return it is ready.
     *
     * @throws ServerFailedException if it does not become ready
     */
    void restart();

    /** Returns the console log of the server, over all its starts. */
    Path log();

    /** The directory that Muster was given for its own files. */
    Path dataDir();

    /**
     * The operator's token that Muster wrote at its first start.
     *
     * @throws IllegalStateException if there is none
     */
    String operatorToken();

    /** Stops the server; its directory stays. Harmless the second time. */
    @Override
    void close();
}
