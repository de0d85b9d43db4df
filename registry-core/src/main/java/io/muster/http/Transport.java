// SPDX-License-Identifier: Apache-2.0
package io.muster.http;

import io.muster.config.Settings;
import io.muster.spi.VerificationUnavailableException;
import java.io.Serial;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/**
 * Makes one attempt at an exchange, bounded in time and size whatever the other side does. Follows no redirect, uses no
 * proxy, keeps no cookie, answers no challenge.
 */
public final class Transport implements AutoCloseable {

    /**
     * Why the other side ended TLS, such as {@code certificate_required}: the JDK's word for a number that it received.
     */
    private static final Pattern ALERT = Pattern.compile("Received fatal alert: ([a-z_]{1,40})");

    /** The address is not of the public Internet. The message has the address that the name stands for. */
    public static final class PrivateAddressException extends VerificationUnavailableException {

        @Serial
        private static final long serialVersionUID = 1;

        PrivateAddressException(String message) {
            super(message);
        }
    }

    private final String who;
    private final Predicate<URI> allowPrivate;
    private final Duration connectTimeout;
    private final Duration timeout;
    private final long maxReply;
    private final ExecutorService threads;
    private final HttpClient client;

    /**
     * Reads the settings for time limits, sizes and TLS; connects to nothing.
     *
     * @param who the beginning of messages
     * @param threadName the name of its threads
     * @param usualReply the default of the largest reply
     * @param allowPrivate whether it may ask addresses that are not of the public Internet
     * @param encrypted whether the address that the settings name is https
     */
    public Transport(
            String who,
            String threadName,
            Settings settings,
            String usualReply,
            boolean allowPrivate,
            boolean encrypted) {
        this(who, threadName, settings, usualReply, Duration.ofSeconds(2), address -> allowPrivate, encrypted);
    }

    /**
     * Reads the settings for time limits, sizes and TLS; connects to nothing.
     *
     * @param who the beginning of messages
     * @param threadName the name of its threads
     * @param usualReply the default of the largest reply
     * @param usualTimeout the default of the time limit
     * @param allowPrivate whether an address may be one that is not of the public Internet
     * @param encrypted whether addresses are https
     */
    public Transport(
            String who,
            String threadName,
            Settings settings,
            String usualReply,
            Duration usualTimeout,
            Predicate<URI> allowPrivate,
            boolean encrypted) {
        this.who = who;
        this.allowPrivate = allowPrivate;
        connectTimeout = settings.duration(
                "connect-timeout", Duration.ofSeconds(1), Duration.ofMillis(10), Duration.ofSeconds(10));
        timeout = settings.duration("timeout", usualTimeout, Duration.ofMillis(50), Duration.ofSeconds(30));
        maxReply = settings.size("max-reply", usualReply, "256B", "1MiB");
        threads = Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, threadName);
            thread.setDaemon(true);
            return thread;
        });
        client = new Tls(who, settings, encrypted)
                .secure(HttpClient.newBuilder())
                .executor(threads)
                .connectTimeout(connectTimeout)
                .followRedirects(HttpClient.Redirect.NEVER)
                // A proxy would resolve the host itself, and bypass the check of its address.
                .proxy(HttpClient.Builder.NO_PROXY)
                // A question that times out closes its connection. HTTP/2 would keep the connection for later
                // questions, even if it no longer works, until the system gives it up after a quarter of an hour.
                .version(HttpClient.Version.HTTP_1_1)
                .build();
    }

    /**
     * Reads the settings as the verifier {@code http} does.
     *
     * @param target the address to ask
     */
    public Transport(String who, String threadName, Settings settings, Target target) {
        this(who, threadName, settings, "16KiB", target.allowPrivate(), target.encrypted());
    }

    /** Returns the end of a question that begins now, in {@link System#nanoTime()}. */
    public long deadline() {
        return System.nanoTime() + timeout.toNanos();
    }

    /**
     * Asks once.
     *
     * @throws VerificationUnavailableException if no complete reply came before the deadline
     */
    public Reply ask(HttpRequest question, long deadline) {
        try {
            if (!allowPrivate.test(question.uri())) {
                checkAddress(question.uri(), deadline);
            }
            // The request's own time limit ends with the headers of the reply; this wait includes the body.
            HttpResponse<byte[]> response = await(
                    client.sendAsync(question, info -> new CappedBody(maxReply)),
                    question.uri(),
                    deadline,
                    !repeatedByJdk(question));
            return new Reply(who, response.statusCode(), response.headers(), response.body());
        } catch (RejectedExecutionException e) {
            throw new VerificationUnavailableException(who + "it was closed");
        }
    }

    private void checkAddress(URI asked, long deadline) {
        InetAddress[] addresses =
                await(threads.submit(() -> InetAddress.getAllByName(asked.getHost())), asked, deadline, true);
        for (InetAddress address : addresses) {
            if (!Addresses.isPublic(address)) {
                throw new PrivateAddressException(
                        who + asked.getRawAuthority() + " is not an address of the public Internet ("
                                + address.getHostAddress() + "), and allow-private is not set");
            }
        }
    }

    private <T> T await(Future<T> result, URI asked, long deadline, boolean repeatable) {
        try {
            return result.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            // Closes the connection, which a slow reply would otherwise keep open.
            result.cancel(true);
            throw new OutageException(who + asked.getRawAuthority() + " did not answer within " + timeout, false);
        } catch (InterruptedException e) {
            result.cancel(true);
            Thread.currentThread().interrupt();
            throw new VerificationUnavailableException(
                    who + "interrupted while waiting for " + asked.getRawAuthority());
        } catch (ExecutionException e) {
            throw failure(e.getCause(), asked.getRawAuthority(), repeatable);
        }
    }

    /**
     * Tells whether the JDK's client itself repeats the question: once, if its method is safe and the connection ends
     * before a reply begins.
     */
    private static boolean repeatedByJdk(HttpRequest question) {
        return question.method().equals("GET") || question.method().equals("HEAD");
    }

    /** Describes a failure in our own words: the JDK's may repeat the address, and with it the serial. */
    private VerificationUnavailableException failure(Throwable cause, String where, boolean repeatable) {
        List<String> kinds = new ArrayList<>();
        for (Throwable t = cause; t != null && kinds.size() < 5; t = t.getCause()) {
            if (t instanceof CappedBody.TooLongException) {
                return new VerificationUnavailableException(
                        who + where + " replied with more than " + maxReply + " bytes");
            }
            kinds.add(t.getClass().getSimpleName());
            Matcher alert = ALERT.matcher(t instanceof SSLException ? String.valueOf(t.getMessage()) : "");
            if (alert.find()) {
                kinds.add("alert " + alert.group(1));
            }
        }
        String why = " (" + String.join(", ", kinds) + ")";
        if (cause instanceof ConnectException
                || cause instanceof HttpConnectTimeoutException
                || cause instanceof UnknownHostException) {
            return new OutageException(who + "no connection to " + where + why, true);
        }
        return new OutageException(who + "no reply from " + where + why, repeatable);
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
