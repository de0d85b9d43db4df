// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.Settings;
import io.muster.http.Addresses;
import io.muster.http.PublishedCopy;
import io.muster.spi.VerificationUnavailableException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The document in which an identity provider publishes its addresses (OpenID Connect Discovery 1.0). It is fetched again
 * when it is old, within the bounds of {@link PublishedCopy}. Thread-safe.
 */
final class Discovery implements AutoCloseable {

    private final String who;
    private final boolean allowHttp;
    private final boolean allowPrivate;
    private final PublishedCopy<JsonNode> document;

    /**
     * Reads the settings for its age, which are those of the keys.
     *
     * @param who the beginning of messages
     * @param issuer which the document must name
     * @param source fetches it in one attempt
     */
    Discovery(
            String who,
            String issuer,
            boolean allowHttp,
            boolean allowPrivate,
            String threadName,
            Supplier<JsonNode> source,
            Settings settings,
            Clock clock) {
        this.who = who;
        this.allowHttp = allowHttp;
        this.allowPrivate = allowPrivate;
        this.document = new PublishedCopy<>(
                who,
                "the addresses in its discovery document",
                threadName,
                () -> {
                    JsonNode fetched = source.get();
                    if (!fetched.path("issuer").asText().equals(issuer)) {
                        throw new VerificationUnavailableException(who + "its discovery document is of another issuer");
                    }
                    return fetched;
                },
                settings,
                clock);
    }

    /**
     * Returns an address of the document.
     *
     * @throws VerificationUnavailableException if the document cannot be had, or has no usable address there
     */
    URI address(String member) {
        JsonNode value = document.current().path(member);
        return usable(value.isTextual() ? value.textValue() : "")
                .orElseThrow(() -> new VerificationUnavailableException(
                        who + "its discovery document has no " + member + " that can be used"));
    }

    private Optional<URI> usable(String text) {
        try {
            URI uri = new URI(text);
            boolean web = "https".equals(uri.getScheme()) || (allowHttp && "http".equals(uri.getScheme()));
            return Optional.of(uri)
                    .filter(address -> web
                            && address.getHost() != null
                            && address.getPort() <= 65_535
                            && address.getPort() != 0
                            && address.getRawUserInfo() == null
                            && address.getRawFragment() == null
                            && (allowPrivate || !Addresses.isPrivateLiteral(address.getHost())));
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    /** Ends its thread. */
    @Override
    public void close() {
        document.close();
    }
}
