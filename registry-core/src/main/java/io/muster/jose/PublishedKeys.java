// SPDX-License-Identifier: Apache-2.0
package io.muster.jose;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.Settings;
import io.muster.http.PublishedCopy;
import io.muster.spi.VerificationUnavailableException;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The public keys that an address publishes as a JWK set. The set is fetched again when it is old or lacks the requested
 * key, within the bounds of {@link PublishedCopy}. Thread-safe.
 */
public final class PublishedKeys implements KeySource, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PublishedKeys.class);

    private final PublishedCopy<JwkSet> set;

    /**
     * Reads the settings for their age and for how many may wait; connects to nothing.
     *
     * @param who the beginning of messages
     * @param threadName the name of the thread that fetches
     * @param source fetches the set in one attempt, or throws {@link VerificationUnavailableException}
     */
    public PublishedKeys(String who, String threadName, Supplier<JsonNode> source, Settings settings, Clock clock) {
        this.set = new PublishedCopy<>(
                who, "the published keys", threadName, () -> read(who, source.get()), settings, clock);
    }

    @Override
    public Optional<VerificationKey> find(VerificationKey.Algorithm algorithm, Optional<String> kid) {
        Optional<VerificationKey> found = set.current().find(algorithm, kid);
        if (found.isEmpty()) {
            found = set.newer().find(algorithm, kid);
        }
        if (found.isEmpty()) {
            // The key may be new, and the address, which does not answer, cannot tell.
            set.failure().ifPresent(failure -> {
                throw new VerificationUnavailableException(failure);
            });
        }
        return found;
    }

    private static JwkSet read(String who, JsonNode published) {
        JwkSet.Result read = JwkSet.read(published);
        if (!read.faults().isEmpty()) {
            throw new VerificationUnavailableException(
                    who + "the published keys are not to be used: " + String.join("; ", read.faults()));
        }
        if (read.keys().hasSecrets()) {
            throw new VerificationUnavailableException(who + "what is published has shared secrets in it");
        }
        if (!read.unusable().isEmpty()) {
            LOG.info("{}some published keys are left out: {}", who, String.join("; ", read.unusable()));
        }
        if (read.keys().isEmpty()) {
            throw new VerificationUnavailableException(who + "no published key can be used");
        }
        return read.keys();
    }

    /** Ends its thread. */
    @Override
    public void close() {
        set.close();
    }
}
