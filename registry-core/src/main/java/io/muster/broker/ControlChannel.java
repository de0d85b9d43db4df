package io.muster.broker;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** The way to a Mosquitto's plug-in for dynamic security. Thread-safe. */
interface ControlChannel extends AutoCloseable {

    /**
     * Has commands carried out, in this order and with nothing in between.
     *
     * @return the answers, one for each; a command that failed has a member {@code error} in its answer
     * @throws IOException if there is no answer; whether anything was carried out is not known then
     * @throws InterruptedException if the thread is to end
     */
    List<JsonNode> send(List<Map<String, Object>> commands) throws IOException, InterruptedException;

    /**
     * Tells whether it is another connection than when this was last asked. In between something may have happened at the broker that nobody
     * heard of.
     */
    boolean isAnother();

    @Override
    default void close() {}
}
