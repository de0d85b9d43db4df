package io.muster.verification;

import io.muster.config.Settings;
import io.muster.spi.VerificationUnavailableException;
import java.net.ConnectException;
import java.net.InetAddress;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/**
 * One attempt at an exchange, bounded in time and size whatever the other side does. Follows no redirect, uses no proxy, keeps no
 * cookie, answers no challenge.
 */
final class HttpTransport implements AutoCloseable {

    /** Why the other side ended TLS, such as {@code certificate_required}: a word of the JDK's for a number that it sent. */
    private static final Pattern ALERT = Pattern.compile("Received fatal alert: ([a-z_]{1,40})");

    private final String who;
    private final HttpTarget target;
    private final Duration connectTimeout;
    private final Duration timeout;
    private final long maxReply;
    private final ExecutorService threads;
    private final HttpClient client;

    HttpTransport(String who, String name, Settings settings, HttpTarget target) {
        this.who = who;
        this.target = target;
        connectTimeout = settings.duration(
                "connect-timeout", Duration.ofSeconds(1), Duration.ofMillis(10), Duration.ofSeconds(10));
        timeout = settings.duration("timeout", Duration.ofSeconds(2), Duration.ofMillis(50), Duration.ofSeconds(30));
        maxReply = settings.size("max-reply", "16KiB", "256B", "1MiB");
        threads = Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, "muster-verifier-" + name);
            thread.setDaemon(true);
            return thread;
        });
        client = new HttpTls(who, settings, target)
                .secure(HttpClient.newBuilder())
                .executor(threads)
                .connectTimeout(connectTimeout)
                .followRedirects(HttpClient.Redirect.NEVER)
                // A proxy would resolve the host itself, past the check of its address.
                .proxy(HttpClient.Builder.NO_PROXY)
                // A question that runs out of time ends its connection. HTTP/2 would keep the connection for the next
                // questions, also one that leads nowhere any more, until the system gives it up after a quarter of an
                // hour.
                .version(HttpClient.Version.HTTP_1_1)
                .build();
    }

    /** Returns when a question that begins now must be over, in {@link System#nanoTime()}. */
    long deadline() {
        return System.nanoTime() + timeout.toNanos();
    }

    /**
     * Asks once.
     *
     * @throws VerificationUnavailableException if no complete reply came before the deadline
     */
    HttpReply ask(HttpRequest question, long deadline) {
        try {
            if (!target.allowPrivate()) {
                checkAddress(deadline);
            }
            // The request's own time limit ends with the headers of the reply; this wait includes the body.
            HttpResponse<byte[]> response = await(
                    client.sendAsync(question, info -> new HttpCappedBody(maxReply)),
                    deadline,
                    !repeatedByJdk(question));
            return new HttpReply(who, response.statusCode(), response.headers(), response.body());
        } catch (RejectedExecutionException e) {
            throw new VerificationUnavailableException(who + "it was closed");
        }
    }

    private void checkAddress(long deadline) {
        InetAddress[] addresses = await(threads.submit(() -> InetAddress.getAllByName(target.host())), deadline, true);
        for (InetAddress address : addresses) {
            if (!HttpAddresses.isPublic(address)) {
                throw new VerificationUnavailableException(
                        who + target.where() + " is not an address of the public Internet (" + address.getHostAddress()
                                + "), and allow-private is not set");
            }
        }
    }

    private <T> T await(Future<T> result, long deadline, boolean repeatable) {
        try {
            return result.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            // Closes the connection, which a reply that trickles in would otherwise keep.
            result.cancel(true);
            throw new HttpOutageException(who + target.where() + " did not answer within " + timeout, false);
        } catch (InterruptedException e) {
            result.cancel(true);
            Thread.currentThread().interrupt();
            throw new VerificationUnavailableException(who + "interrupted while waiting for " + target.where());
        } catch (ExecutionException e) {
            throw failure(e.getCause(), repeatable);
        }
    }

    /** The JDK's client itself repeats what is safe by its method, once, if the connection ends before a reply begins. */
    private static boolean repeatedByJdk(HttpRequest question) {
        return question.method().equals("GET") || question.method().equals("HEAD");
    }

    /** Puts a failure into words of our own: those of the JDK may repeat the address, and with it the serial. */
    private VerificationUnavailableException failure(Throwable cause, boolean repeatable) {
        List<String> kinds = new ArrayList<>();
        for (Throwable t = cause; t != null && kinds.size() < 5; t = t.getCause()) {
            if (t instanceof HttpCappedBody.TooLongException) {
                return new VerificationUnavailableException(
                        who + target.where() + " replied with more than " + maxReply + " bytes");
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
            return new HttpOutageException(who + "no connection to " + target.where() + why, true);
        }
        return new HttpOutageException(who + "no reply from " + target.where() + why, repeatable);
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
