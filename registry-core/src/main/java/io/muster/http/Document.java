// SPDX-License-Identifier: Apache-2.0
package io.muster.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.Settings;
import io.muster.spi.VerificationUnavailableException;
import java.net.http.HttpRequest;
import java.util.Optional;

/**
 * A JSON document at an operator's address. It is fetched by the rules of the {@code http} verifier: the same settings
 * for addresses, time limits and sizes, no redirects. Stores nothing that it fetched. Thread-safe.
 */
public final class Document implements AutoCloseable {

    private final String who;
    private final Transport transport;
    private final HttpRequest question;

    /**
     * Reads the settings; connects to nothing.
     *
     * @param who the beginning of messages
     * @param threadName the name of its threads
     * @param key the setting that has the address
     */
    public Document(String who, String threadName, Settings settings, String key) {
        Target target = Target.read(settings, key, Optional.of("here"));
        this.who = who;
        this.transport = new Transport(who, threadName, settings, target);
        this.question = HttpRequest.newBuilder(target.address())
                .header("Accept", "application/json")
                .header("User-Agent", "Muster")
                .build();
    }

    /**
     * Fetches it, in one attempt.
     *
     * @throws VerificationUnavailableException if no status 200 with complete, strict JSON came in time. The message
     *     repeats only host and port of the address, and only the status of the reply
     */
    public JsonNode fetch() {
        Reply reply = transport.ask(question, transport.deadline());
        if (reply.status() != 200) {
            throw new VerificationUnavailableException(who + "status " + reply.status() + " instead of 200");
        }
        return reply.written();
    }

    /** Ends its threads. */
    @Override
    public void close() {
        transport.close();
    }
}
