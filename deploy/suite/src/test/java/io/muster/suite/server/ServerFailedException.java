// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import java.nio.file.Path;

/**
 * A server did not become ready: it ended, refused the WAR, or took too long. The message contains the end of its log,
 * where a test may look for Muster's own messages.
 */
public final class ServerFailedException extends IllegalStateException {

    private static final long serialVersionUID = 1L;

    ServerFailedException(ServerKind kind, String why, Path log) {
        super(kind + " " + why + "; the end of " + log + ":\n" + Layout.tail(log));
    }
}
