// SPDX-License-Identifier: Apache-2.0
package io.muster.webhook;

import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.http.Addresses;
import io.muster.http.Reply;
import io.muster.http.Transport;
import io.muster.spi.VerificationUnavailableException;
import jakarta.inject.Inject;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Sends one message to a receiver, bounded in time and size whatever the receiver does. Follows no redirect. Asks no
 * address that is not of the public Internet, and none without TLS, unless the configuration names its host.
 * Thread-safe.
 */
@Part
public final class WebhookSender implements AutoCloseable {

    private static final int LONGEST_URL = 1000;
    private static final int LONGEST_ERROR = 200;

    /**
     * The end of an attempt.
     *
     * @param status the status of the answer; empty if there is no complete answer
     * @param millis how long it took
     * @param error why the message does not count as accepted; empty if it does
     * @param retryAfter how long the receiver asks to wait
     */
    public record Result(Optional<Integer> status, long millis, Optional<String> error, Optional<Duration> retryAfter) {

        boolean accepted() {
            return error.isEmpty();
        }

        /** Tells whether the receiver wants nothing more, ever. */
        boolean gone() {
            return status.equals(Optional.of(410));
        }
    }

    private final Set<String> privateHosts;
    private final Transport transport;

    /** Reads the settings; connects to nothing. */
    @Inject
    public WebhookSender(MusterConfig config) {
        MusterConfig.Webhooks webhooks = config.webhooks();
        this.privateHosts = webhooks.privateHosts();
        this.transport = new Transport(
                "", "muster-webhook", webhooks.settings(), "64KiB", Duration.ofSeconds(10), this::mayBePrivate, true);
    }

    private boolean mayBePrivate(URI address) {
        String host = address.getHost().toLowerCase(Locale.ROOT);
        return privateHosts.contains(host)
                || privateHosts.contains(
                        host + ":" + (address.getPort() >= 0 ? address.getPort() : usualPort(address)));
    }

    private static int usualPort(URI address) {
        return "https".equals(address.getScheme()) ? 443 : 80;
    }

    /** Tells what is wrong with the address of a webhook; empty if nothing is. Asks no name server. */
    public Optional<String> fault(String url) {
        if (url.length() > LONGEST_URL || !url.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            return Optional.of("must be at most " + LONGEST_URL + " printable ASCII characters without blanks");
        }
        URI address;
        try {
            address = new URI(url);
        } catch (URISyntaxException e) {
            return Optional.of("is not an absolute https address");
        }
        boolean https = "https".equals(address.getScheme());
        if (!(https || "http".equals(address.getScheme()))
                || address.getHost() == null
                || address.getPort() == 0
                || address.getPort() > 65_535) {
            return Optional.of("is not an absolute https address");
        }
        if (address.getRawUserInfo() != null || address.getRawFragment() != null) {
            return Optional.of("must have neither user information nor a fragment");
        }
        if (mayBePrivate(address)) {
            return Optional.empty();
        }
        if (!https) {
            return Optional.of("must be https, unless muster.webhooks.private-hosts names its host");
        }
        return Addresses.isPrivateLiteral(address.getHost())
                ? Optional.of("is not an address of the public Internet, and muster.webhooks.private-hosts does not"
                        + " name it")
                : Optional.empty();
    }

    /**
     * Sends a message and waits for the answer, for a bounded time. Never throws.
     *
     * @param secrets each makes a signature
     * @param id of the message, the same whenever it is sent again
     */
    Result send(String url, List<byte[]> secrets, String id, String body, Instant now) {
        long begun = System.nanoTime();
        Optional<String> fault = fault(url);
        if (fault.isPresent()) {
            return failed(begun, "the address " + fault.get());
        }
        long seconds = now.getEpochSecond();
        HttpRequest message = HttpRequest.newBuilder(URI.create(url))
                .header("Content-Type", "application/json")
                .header("User-Agent", "Muster")
                .header("webhook-id", id)
                .header("webhook-timestamp", Long.toString(seconds))
                .header("webhook-signature", Signature.of(secrets, id, seconds, body))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        try {
            Reply reply = transport.ask(message, transport.deadline());
            boolean accepted = reply.status() >= 200 && reply.status() < 300;
            return new Result(
                    Optional.of(reply.status()),
                    millisSince(begun),
                    accepted ? Optional.empty() : Optional.of("status " + reply.status()),
                    reply.retryAfter());
        } catch (Transport.PrivateAddressException e) {
            // Not its own message: it has the address that a name stands for inside the network.
            return failed(
                    begun,
                    "the host is not an address of the public Internet, and muster.webhooks.private-hosts does not"
                            + " name it");
        } catch (VerificationUnavailableException e) {
            return failed(begun, e.getMessage());
        }
    }

    private static Result failed(long begun, String why) {
        String bounded = why.length() <= LONGEST_ERROR ? why : why.substring(0, LONGEST_ERROR);
        return new Result(Optional.empty(), millisSince(begun), Optional.of(bounded), Optional.empty());
    }

    private static long millisSince(long begun) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
    }

    /** Ends its threads; messages under way fail. */
    @Override
    public void close() {
        transport.close();
    }
}
