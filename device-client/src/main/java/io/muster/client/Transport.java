// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import io.muster.spi.WrittenText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serial;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/** Sends one request, with all limits that protect from a server that is slow, broken or the wrong one. */
final class Transport {

    static final int LARGEST_REPLY = 64 * 1024;
    static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

    private static final String USER_AGENT = "muster-device/" + version();

    private final HttpClient http;

    Transport(SSLContext tls) {
        SSLParameters parameters = tls.getDefaultSSLParameters();
        // The JDK's client does this by default, unless a system property disables it. Setting it here overrides the
        // property.
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(CONNECT_TIMEOUT)
                // A redirect would carry the secret to any host that the redirecting server names.
                .followRedirects(HttpClient.Redirect.NEVER)
                .sslContext(tls)
                .sslParameters(parameters)
                .build();
    }

    /** Returns the JDK's own settings, with the certificates that it trusts. */
    static SSLContext defaultTls() {
        try {
            return SSLContext.getDefault();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no TLS", e);
        }
    }

    /**
     * Returns settings that trust the certificates of a file, and no others.
     *
     * @throws IOException if the file cannot be read, or has no certificate
     */
    static SSLContext tlsThatTrusts(Path pem) throws IOException {
        try (InputStream in = WrittenText.withoutMark(Files.newInputStream(pem))) {
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                trusted.setCertificateEntry("ca" + trusted.size(), certificate);
            }
            if (trusted.size() == 0) {
                throw new IOException(pem + " has no certificate");
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(trusted);
            SSLContext tls = SSLContext.getInstance("TLS");
            tls.init(null, factory.getTrustManagers(), null);
            return tls;
        } catch (GeneralSecurityException e) {
            throw new IOException(pem + " is not a file of PEM certificates", e);
        }
    }

    /** The whole reply. */
    record Reply(int status, HttpHeaders headers, byte[] body) {

        /** Names the status only. */
        @Override
        public String toString() {
            return "Reply[status=" + status + "]";
        }
    }

    /**
     * Posts and returns the whole reply, whatever its status.
     *
     * @param headers the headers beside the content type; {@code Accept} is among them
     * @param limit for everything, from connecting to the last byte of the reply
     * @throws IOException if there was no whole reply of at most {@link #LARGEST_REPLY} bytes in time
     */
    Reply post(URI uri, String contentType, byte[] body, Map<String, String> headers, Duration limit)
            throws IOException, InterruptedException {
        return send("POST", uri, contentType, body, headers, limit);
    }

    /** Sends with this method, and returns as {@link #post} does. */
    Reply send(String method, URI uri, String contentType, byte[] body, Map<String, String> headers, Duration limit)
            throws IOException, InterruptedException {
        return send(
                HttpRequest.newBuilder(uri)
                        .header("Content-Type", contentType)
                        .method(method, HttpRequest.BodyPublishers.ofByteArray(body)),
                headers,
                limit);
    }

    /** Gets, and returns as {@link #post} does. */
    Reply get(URI uri, Map<String, String> headers, Duration limit) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri), headers, limit);
    }

    private Reply send(HttpRequest.Builder request, Map<String, String> headers, Duration limit)
            throws IOException, InterruptedException {
        request.header("User-Agent", USER_AGENT);
        headers.forEach(request::header);
        // HttpRequest.timeout() ends with the headers. A slow body could then take for ever.
        CompletableFuture<HttpResponse<byte[]>> exchange =
                http.sendAsync(request.build(), response -> new CappedBody());
        try {
            HttpResponse<byte[]> response = exchange.get(limit.toNanos(), TimeUnit.NANOSECONDS);
            return new Reply(response.statusCode(), response.headers(), response.body());
        } catch (TimeoutException e) {
            throw new HttpTimeoutException("no whole reply within " + limit);
        } catch (ExecutionException e) {
            throw failure(e.getCause());
        } finally {
            exchange.cancel(true);
        }
    }

    /**
     * Says what failed. Quotes only exceptions of sockets and TLS: where the JDK cannot read a reply, its message
     * quotes the reply, which may echo the request.
     */
    private static IOException failure(Throwable cause) {
        if (cause instanceof SocketException
                || cause instanceof SSLException
                || cause instanceof HttpTimeoutException) {
            return new IOException(String.valueOf(cause), cause);
        }
        if (cause instanceof TooLargeException) {
            return new IOException("the reply is larger than " + LARGEST_REPLY + " bytes");
        }
        return new IOException("the connection broke, or the reply is not HTTP ("
                + cause.getClass().getSimpleName() + ")");
    }

    /** Returns the version of this library. */
    static String version() {
        try (InputStream in = Transport.class.getResourceAsStream("version.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final class TooLargeException extends IOException {

        @Serial
        private static final long serialVersionUID = 1;
    }

    private static final class CappedBody implements HttpResponse.BodySubscriber<byte[]> {

        private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
        private final ByteArrayOutputStream received = new ByteArrayOutputStream();
        private Flow.Subscription subscription;

        @Override
        public CompletionStage<byte[]> getBody() {
            return whole;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            this.subscription = subscription;
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(List<ByteBuffer> parts) {
            for (ByteBuffer part : parts) {
                if (received.size() + part.remaining() > LARGEST_REPLY) {
                    subscription.cancel();
                    whole.completeExceptionally(new TooLargeException());
                    return;
                }
                byte[] bytes = new byte[part.remaining()];
                part.get(bytes);
                received.writeBytes(bytes);
            }
        }

        @Override
        public void onError(Throwable failure) {
            whole.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            whole.complete(received.toByteArray());
        }
    }
}
