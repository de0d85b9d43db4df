package io.muster.verification;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.Settings;
import io.muster.spi.VerificationUnavailableException;
import java.net.http.HttpRequest;
import java.util.Optional;

/**
 * A JSON document at an address of the operator's, fetched under the rules by which the {@code http} verifier asks: the same
 * settings for addresses, time limits and sizes, no redirects. Keeps nothing of what it fetched. Thread-safe.
 */
public final class HttpDocument implements AutoCloseable {

    private final String who;
    private final HttpTransport transport;
    private final HttpRequest question;

    /**
     * Reads the settings; connects to nothing.
     *
     * @param name the verifier's name, for messages and threads
     * @param key the setting that has the address
     */
    public HttpDocument(String name, Settings settings, String key) {
        HttpTarget target = HttpTarget.read(settings, key, Optional.of("here"));
        this.who = "verifier " + name + ": ";
        this.transport = new HttpTransport(who, name, settings, target);
        this.question = HttpRequest.newBuilder(target.address())
                .header("Accept", "application/json")
                .header("User-Agent", "Muster")
                .build();
    }

    /**
     * Fetches it, in one attempt.
     *
     * @throws VerificationUnavailableException if no status 200 with complete, strict JSON came in time; the message repeats
     *     nothing of the address but host and port, and nothing of the reply but its status
     */
    public JsonNode fetch() {
        HttpReply reply = transport.ask(question, transport.deadline());
        if (reply.status() != 200) {
            throw new VerificationUnavailableException(who + "status " + reply.status() + " instead of 200");
        }
        return reply.json();
    }

    /** Ends its threads. */
    @Override
    public void close() {
        transport.close();
    }
}
