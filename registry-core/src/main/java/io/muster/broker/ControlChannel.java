// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** The connection to Mosquitto's plug-in for dynamic security. Thread-safe. */
interface ControlChannel extends AutoCloseable {

    /**
     * Has commands carried out in this order, with no other command among them.
     *
     * @return the answers, one for each; a command that failed has a member {@code error} in its answer
     * @throws IOException if there is no answer; it is then unknown whether anything was carried out
     * @throws InterruptedException if the thread is to end
     */
    List<JsonNode> send(List<Map<String, Object>> commands) throws IOException, InterruptedException;

    /**
     * Tells whether the connection is another one than at the previous call. Events at the broker may have been missed
     * meanwhile.
     */
    boolean isAnother();

    @Override
    default void close() {}
}
