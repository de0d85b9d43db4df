// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;

/**
 * Sends requests with the operator's token. It follows no redirect. 429 and 503 were not done: such a request is sent
 * again after {@code Retry-After}, a few times and for two minutes at most.
 */
final class Api {

    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int ATTEMPTS = 5;
    private static final int LONGEST_ANSWER = 64 << 20;

    private final Target target;
    private final Shell shell;
    private final HttpClient http;

    Api(Target target, Shell shell) throws Failure {
        if (!target.token().matches("[\\x21-\\x7e]+")) {
            throw new Failure(Exit.NOT_PERMITTED, "The token is empty, or has characters that no token has.");
        }
        this.target = target;
        this.shell = shell;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(CONNECT);
        if (target.caFile().isPresent()) {
            builder.sslContext(trust(target.caFile().get()));
        }
        this.http = builder.build();
    }

    private static SSLContext trust(Path file) throws Failure {
        try (InputStream in = Files.newInputStream(file)) {
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                trusted.setCertificateEntry(Integer.toString(trusted.size()), one);
            }
            TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new Failure(Exit.USAGE, "--ca-file: " + e.getMessage());
        }
    }

    /** The body of a request. A stream can be sent once only. */
    record Body(String type, BodyPublisher content, boolean repeatable) {

        static Body json(Object value) {
            return text("application/json", Json.write(value));
        }

        static Body text(String type, String text) {
            return new Body(type, BodyPublishers.ofByteArray(text.getBytes(StandardCharsets.UTF_8)), true);
        }

        static Body file(String type, Path file) throws Failure {
            try {
                return new Body(type, BodyPublishers.ofFile(file), true);
            } catch (IOException e) {
                throw new Failure(Exit.USAGE, "Cannot read " + e.getMessage());
            }
        }

        static Body stream(String type, InputStream in) {
            return new Body(type, BodyPublishers.ofInputStream(() -> in), false);
        }
    }

    /** A request. The path begins with a slash and has the query. */
    record Request(String method, String path, Map<String, String> headers, Optional<Body> body, Duration timeout) {

        private static final Duration USUAL = Duration.ofMinutes(1);
        private static final Duration UPLOAD = Duration.ofHours(1);

        static Request of(String method, String path) {
            return new Request(method, path, Map.of(), Optional.empty(), USUAL);
        }

        Request with(Body content) {
            return new Request(method, path, headers, Optional.of(content), content.repeatable() ? timeout : UPLOAD);
        }

        Request with(String header, String value) {
            Map<String, String> all = new LinkedHashMap<>(headers);
            all.put(header, value);
            return new Request(method, path, all, body, timeout);
        }

        Request asUpload() {
            return new Request(method, path, headers, body, UPLOAD);
        }
    }

    /** An answer that is a success. */
    record Answer(Map<String, Object> json, Optional<String> etag) {}

    /** Sends a request and reads the object of the answer, which is empty if there is no body. */
    Answer ask(Request request) throws Failure, InterruptedException {
        HttpResponse<InputStream> response = send(request.with("Accept", "application/json"));
        try (InputStream body = response.body()) {
            String text = text(body);
            return new Answer(
                    text.isEmpty() ? Map.of() : Json.object(text),
                    response.headers().firstValue("ETag"));
        } catch (IOException e) {
            throw broken(request, e);
        }
    }

    private static String text(InputStream body) throws IOException {
        byte[] bytes = body.readNBytes(LONGEST_ANSWER + 1);
        if (bytes.length > LONGEST_ANSWER) {
            throw new IOException("the answer is too long");
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Sends a request; the caller closes the body of the answer, which is a success. */
    HttpResponse<InputStream> send(Request request) throws Failure, InterruptedException {
        Duration waited = Duration.ZERO;
        for (int attempt = 1; ; attempt++) {
            HttpResponse<InputStream> response = once(request);
            int status = response.statusCode();
            if (status >= 200 && status < 300) {
                return response;
            }
            String text = problem(response);
            Optional<Duration> wait = status == 429 || status == 503 ? retryAfter(response) : Optional.empty();
            boolean again = wait.isPresent()
                    && attempt < ATTEMPTS
                    && request.body().map(Body::repeatable).orElse(true)
                    && waited.plus(wait.get()).compareTo(PATIENCE) <= 0;
            if (!again) {
                throw Problems.failure(status, text, wait, response.headers().firstValue("Location"));
            }
            shell.say("The registry asks to wait for " + wait.get().toSeconds() + " s ...");
            shell.pause().of(wait.get());
            waited = waited.plus(wait.get());
        }
    }

    private static String problem(HttpResponse<InputStream> response) {
        try (InputStream body = response.body()) {
            return new String(body.readNBytes(1 << 20), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }

    private static Optional<Duration> retryAfter(HttpResponse<?> response) {
        return response.headers()
                .firstValue("Retry-After")
                .filter(text -> text.matches("[0-9]{1,6}"))
                .map(text -> Duration.ofSeconds(Math.max(1, Long.parseLong(text))));
    }

    private HttpResponse<InputStream> once(Request request) throws Failure, InterruptedException {
        HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(target.base() + request.path()))
                .timeout(request.timeout())
                .header("Authorization", "Bearer " + target.token())
                .header("User-Agent", "muster")
                .method(request.method(), request.body().map(Body::content).orElseGet(BodyPublishers::noBody));
        request.headers().forEach(builder::setHeader);
        request.body().ifPresent(body -> builder.setHeader("Content-Type", body.type()));
        try {
            return http.send(builder.build(), BodyHandlers.ofInputStream());
        } catch (IOException e) {
            throw broken(request, e);
        }
    }

    /** The answer did not arrive, or not whole. */
    Failure broken(Request request, IOException e) {
        String why = e instanceof SSLException
                ? "TLS failed: " + e.getMessage() + " (--ca-file of muster login names an authority of your own)"
                : e instanceof java.net.ConnectException || e.getMessage() == null ? "no connection" : e.getMessage();
        String done = request.method().equals("GET") || e instanceof java.net.ConnectException
                ? ""
                : "\n  It is not known whether the request was done. Look before you repeat it.";
        return new Failure(Exit.UNAVAILABLE, target.base() + ": " + Printable.text(why) + done);
    }
}
