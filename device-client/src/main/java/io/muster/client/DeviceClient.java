package io.muster.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.Serial;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Registers this device once, keeps its credential and gets access tokens with it. Settings are fixed by the {@link Builder};
 * thread-safe; make one for the life of the process.
 *
 * <p><b>Waiting.</b> {@link #register()} and {@link #accessToken()} block. A reply of 202, 408, 429, 5xx or a redirect, a reply
 * that is not what a registry says, and every {@link IOException} on the way are tried again. Before attempt <i>n</i>+1 the
 * client waits a random time between zero and min(5 min, 1 s &times; 2<sup><i>n</i>-1</sup>) ("full jitter"). A {@code
 * Retry-After} of the registry is a minimum, whatever its value and in both its forms; a random time between zero and half of it
 * (at least the ceiling of the backoff, at most 5 minutes) is added. A date is measured against the reply's own {@code Date}.
 * By default this goes on until there is an answer or the thread is interrupted; see {@link Builder#giveUpAfter}. The pace is
 * the client's, not the call's: a loop around a call that gave up is no faster. Each failed attempt is logged at INFO.
 *
 * <p><b>Safe to repeat.</b> The registry may have accepted a registration whose reply was lost. As long as the credential was
 * never used, asking again is answered with a fresh one, so the client repeats without asking the caller.
 *
 * <p><b>Limits.</b> 10 s to connect, 30 s for a request with all of its reply, 64 KiB for a reply. Certificates and host names
 * are verified, and nothing here turns that off. Redirects are never followed. The JDK's default proxy selection applies
 * ({@code https.proxyHost}).
 */
public final class DeviceClient {

    private static final Logger LOG = System.getLogger(DeviceClient.class.getName());
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);

    /** For a token whose lifetime the registry does not tell; the standard only recommends to. */
    private static final Duration ASSUMED_LIFETIME = Duration.ofSeconds(60);

    private static final Duration RENEWAL_MARGIN = Duration.ofSeconds(30);

    private final URI registry; // null: as stored
    private final String serial; // null: only what is stored is wanted
    private final String fleet; // null: the default fleet
    private final Supplier<? extends Map<String, ?>> evidence;
    private final DeviceCertificate certificate; // null: none
    private final URI audience; // null: the registry's address
    private final CredentialStore store;
    private final boolean plainHttpAllowed;
    private final Duration giveUpAfter;
    private final Duration requestTimeout;
    private final Waiting waiting;
    private final Transport transport;

    /** Held by the one thread that talks to the registry; guards {@link #pace} and the writing of the two below. */
    private final ReentrantLock turn = new ReentrantLock();

    private final Pace pace;
    private volatile DeviceIdentity identity;
    private volatile Token token;

    private DeviceClient(Builder builder) {
        this.registry = builder.registry;
        this.serial = builder.serial;
        this.fleet = builder.fleet;
        this.evidence = builder.evidence;
        this.certificate = builder.certificate;
        this.audience = builder.audience;
        this.store = Objects.requireNonNull(builder.store, "a store is required");
        this.plainHttpAllowed = builder.plainHttpAllowed;
        this.giveUpAfter = builder.giveUpAfter;
        this.requestTimeout = builder.requestTimeout;
        this.waiting = builder.waiting;
        this.transport = new Transport(builder.tls);
        this.pace = new Pace(builder.waiting, builder.random, builder.initialSpread);
        if (registry != null) {
            requireGoodAddress(registry);
        }
    }

    /**
     * Starts a client's settings. Only {@link Builder#store} is needed by a device that has registered before; {@link
     * Builder#registry} and {@link Builder#serial} are needed to register.
     *
     * @return a builder, to be used by one thread
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the stored identity, or empty if this device has not registered yet. No network.
     *
     * @return never null
     * @throws CredentialStore.UnusableException if the store is damaged or holds another serial's identity
     */
    public Optional<DeviceIdentity> identity() throws IOException {
        DeviceIdentity known = identity;
        return known != null ? Optional.of(known) : stored();
    }

    /**
     * Returns the stored identity without any network; the first time ever, registers and stores it before returning. Threads
     * and processes that share a store register once.
     *
     * @return the identity, already safe on disk
     * @throws RefusedException if the registry does not admit the device; asking again needs a change on its side
     * @throws UnavailableException if there was no answer within {@link Builder#giveUpAfter}
     * @throws CredentialStore.UnusableException if the store is damaged or holds another serial's identity; the registry was
     *     not asked
     * @throws IOException if the store cannot be written
     * @throws IllegalStateException if the store is empty and registry or serial was not set
     * @throws InterruptedException if interrupted while waiting; the registry may have accepted the request
     */
    public DeviceIdentity register() throws IOException, RefusedException, InterruptedException {
        return register(new Deadline());
    }

    /**
     * Returns an access token to send as {@code Authorization: Bearer}. Registers first if need be. A token is kept in memory
     * and renewed by the first call after 80 % of its lifetime, or from 30 s before its end if that is earlier (but not in its
     * first half); lifetimes are counted by the monotonic clock from before the request. Only one thread renews, and others get
     * the present token meanwhile. Renewal is one attempt; if it fails, even by a refusal, the present token is returned until
     * its lifetime ends.
     *
     * @return a token that has not expired by this device's count
     * @throws RefusedException if the credential is not valid (any more): type {@code invalid_client}. Do not register again
     *     because of it; somebody has disabled the device
     * @throws UnavailableException if there is no valid token, and was no answer within {@link Builder#giveUpAfter}
     * @throws IOException as {@link #register()}
     * @throws InterruptedException if interrupted while waiting
     */
    public String accessToken() throws IOException, RefusedException, InterruptedException {
        Token present = token;
        if (present != null && present.isFresh(waiting.nanoTime())) {
            return present.text;
        }
        if (present != null && present.isValid(waiting.nanoTime())) {
            present = renewed(present);
            if (present.isValid(waiting.nanoTime())) {
                return present.text;
            }
        }
        Deadline deadline = new Deadline();
        DeviceIdentity device = register(deadline);
        takeTurn(deadline);
        try {
            present = token;
            if (present == null || !present.isValid(waiting.nanoTime())) {
                present = persistently(deadline, limit -> askForToken(device, limit));
                token = present;
            }
            return present.text;
        } finally {
            turn.unlock();
        }
    }

    /** One attempt at most, and none if another thread is at it: there is a token that works. */
    private Token renewed(Token present) throws IOException, InterruptedException {
        if (!turn.tryLock()) {
            return present;
        }
        try {
            if (!token.isFresh(waiting.nanoTime()) && pace.untilTurn().isZero()) {
                DeviceIdentity device = identity;
                token = attempt(requestTimeout, limit -> askForToken(device, limit));
            }
        } catch (UnavailableException e) {
            // logged already; the pace says when the next caller tries
        } catch (RefusedException e) {
            pace.failed(Duration.ZERO);
            LOG.log(Level.WARNING, "{0}; the present token is used until it ends", e.getMessage());
        } finally {
            turn.unlock();
        }
        return token;
    }

    private DeviceIdentity register(Deadline deadline) throws IOException, RefusedException, InterruptedException {
        if (identity != null) {
            return identity;
        }
        takeTurn(deadline);
        try {
            Optional<DeviceIdentity> known = identity();
            if (known.isEmpty()) {
                known = Optional.of(registerLocked(deadline));
            }
            identity = known.get();
            return identity;
        } finally {
            turn.unlock();
        }
    }

    private DeviceIdentity registerLocked(Deadline deadline)
            throws IOException, RefusedException, InterruptedException {
        if (registry == null || serial == null) {
            throw new IllegalStateException(
                    "this device has not registered yet; registry and serial are needed for it");
        }
        CredentialStore.Lock lock = store.lock(waiting, deadline.left())
                .orElseThrow(() -> new UnavailableException(
                        "another process holds the lock of the store for longer than " + giveUpAfter,
                        Duration.ZERO,
                        null));
        try (lock) {
            Optional<DeviceIdentity> known = stored(); // by whoever had the lock before
            if (known.isPresent()) {
                return known.get();
            }
            String requestId = UUID.randomUUID().toString();
            DeviceIdentity fresh = persistently(deadline, limit -> askToRegister(requestId, limit));
            store.save(fresh);
            return fresh;
        }
    }

    private DeviceIdentity askToRegister(String requestId, Duration limit)
            throws IOException, RefusedException, InterruptedException {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("serial", serial);
        long asked = waiting.nanoTime();
        Map<String, Object> offered = new LinkedHashMap<>(evidence.get());
        if (certificate != null) {
            offered.put("x509", certificate.evidence(serial, audience(), askForNonce(limit)));
        }
        if (!offered.isEmpty()) {
            request.put("evidence", offered);
        }
        request.put("requestId", requestId);
        String path = (fleet == null ? "" : "/fleets/" + encoded(fleet).replace("+", "%20")) + "/register";

        Duration left = limit.minusNanos(waiting.nanoTime() - asked);
        Map<String, Object> reply = post(at(registry, path), "application/json", Json.write(request), "", left);
        try {
            return DeviceIdentity.read(reply, registry, serial);
        } catch (IllegalArgumentException e) {
            throw new NoAnswer("HTTP 200 that is no receipt: " + e.getMessage());
        }
    }

    private String askForNonce(Duration limit) throws IOException, RefusedException, InterruptedException {
        Map<String, Object> reply = post(at(registry, "/nonce"), "application/json", Json.write(Map.of()), "", limit);
        return Json.text(reply, "nonce").orElseThrow(() -> new NoAnswer("HTTP 200 without nonce"));
    }

    /** What this device was configured with, never what a reply says: or a false registry could pass the proof on to the true one. */
    private String audience() {
        return (audience != null ? audience : registry).toString().replaceFirst("/+$", "");
    }

    private Token askForToken(DeviceIdentity device, Duration limit)
            throws IOException, RefusedException, InterruptedException {
        URI address = registry != null ? registry : device.registry();
        requireGoodAddress(address); // the stored one may come from a client that allowed more
        // RFC 6749 section 2.3.1: each half is form-encoded before the two are joined.
        String both = encoded(device.key()) + ":" + encoded(device.secret());
        String basic = "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.US_ASCII));
        byte[] form = "grant_type=client_credentials".getBytes(StandardCharsets.US_ASCII);
        long asked = waiting.nanoTime();

        Map<String, Object> reply =
                post(at(address, "/token"), "application/x-www-form-urlencoded", form, basic, limit);
        String text = Json.text(reply, "access_token").orElseThrow(() -> new NoAnswer("HTTP 200 without access_token"));
        Duration lifetime = reply.get("expires_in") instanceof Number seconds
                ? Duration.ofSeconds(Math.max(0, seconds.longValue()))
                : ASSUMED_LIFETIME;
        return new Token(text, asked, Pace.min(lifetime, Pace.FOR_EVER));
    }

    /** Returns the object of a 200. */
    private Map<String, Object> post(URI uri, String contentType, byte[] body, String authorization, Duration limit)
            throws IOException, RefusedException, InterruptedException {
        Transport.Reply reply = transport.post(uri, contentType, body, authorization, limit);
        int status = reply.status();
        if (status == 200) {
            try {
                return Json.readObject(reply.body());
            } catch (IOException e) {
                throw new NoAnswer("HTTP 200 with a body that is " + e.getMessage());
            }
        }
        if (status >= 400 && status < 500 && status != 408 && status != 429) {
            throw RefusedException.of(reply);
        }
        throw new NoAnswer(
                switch (status) {
                    case 202 -> "HTTP 202, waits for an operator's approval";
                    case 301, 302, 303, 307, 308 -> "HTTP " + status + ", a redirect, which is not followed";
                    default -> "HTTP " + status;
                },
                RetryAfter.in(reply.headers()).orElse(Duration.ZERO));
    }

    private <T> T persistently(Deadline deadline, Attempt<T> attempt)
            throws IOException, RefusedException, InterruptedException {
        UnavailableException last = null;
        while (true) {
            Duration wait = pace.untilTurn();
            if (wait.compareTo(deadline.left()) >= 0) {
                String why = last == null ? "its turn comes later" : last.getMessage();
                throw new UnavailableException("gave up at the limit of " + giveUpAfter + ": " + why, wait, last);
            }
            waiting.sleep(wait);
            try {
                return attempt(Pace.min(requestTimeout, deadline.left()), attempt);
            } catch (UnavailableException e) {
                last = e;
            }
        }
    }

    private <T> T attempt(Duration limit, Attempt<T> attempt)
            throws IOException, RefusedException, InterruptedException {
        try {
            T answer = attempt.within(limit);
            pace.succeeded();
            return answer;
        } catch (RefusedException e) {
            pace.succeeded();
            throw e;
        } catch (IOException e) {
            pace.failed(e instanceof NoAnswer answer ? answer.retryAfter : Duration.ZERO);
            Duration wait = pace.untilTurn();
            LOG.log(Level.INFO, "no answer from the registry ({0}); next attempt in {1}", e.getMessage(), wait);
            throw new UnavailableException("no answer from the registry: " + e.getMessage(), wait, e);
        }
    }

    private void takeTurn(Deadline deadline) throws UnavailableException, InterruptedException {
        if (!turn.tryLock(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
            throw new UnavailableException(
                    "another thread has been talking to the registry for " + giveUpAfter, Duration.ZERO, null);
        }
    }

    private Optional<DeviceIdentity> stored() throws CredentialStore.UnusableException {
        Optional<DeviceIdentity> stored = store.load();
        if (stored.isPresent() && serial != null && !serial.equals(stored.get().serial())) {
            throw store.unusable("it is the identity of another serial, as after copying a disk image");
        }
        return stored;
    }

    private void requireGoodAddress(URI address) {
        String scheme = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
        boolean encrypted = scheme.equals("https");
        if (!encrypted && !scheme.equals("http")
                || address.getHost() == null
                || address.getRawUserInfo() != null
                || address.getRawQuery() != null
                || address.getRawFragment() != null) {
            throw new IllegalArgumentException(
                    "the registry's address is https://host[:port][/path], without user, query and fragment");
        }
        if (!encrypted && !plainHttpAllowed && !isLoopback(address.getHost())) {
            throw new IllegalArgumentException("http to " + address.getHost()
                    + " would send the secret for everybody to read; use https, or allow it for a try-out");
        }
    }

    /** By its spelling: a name that resolves to a loopback address today may resolve to another tomorrow. */
    private static boolean isLoopback(String host) {
        return host.equalsIgnoreCase("localhost")
                || host.equals("[::1]")
                || host.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
    }

    private static URI at(URI registry, String path) {
        return URI.create(registry.toString().replaceFirst("/+$", "") + path);
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** Names the registry and the store. */
    @Override
    public String toString() {
        return "DeviceClient[" + (registry != null ? registry : "registry as stored") + ", " + store + "]";
    }

    @FunctionalInterface
    private interface Attempt<T> {
        T within(Duration limit) throws IOException, RefusedException, InterruptedException;
    }

    /** When a call that began now has to end. */
    private final class Deadline {

        private final long start = waiting.nanoTime();

        Duration left() {
            return giveUpAfter.minusNanos(waiting.nanoTime() - start);
        }
    }

    /** The registry replied, but not with an answer. */
    private static final class NoAnswer extends IOException {

        @Serial
        private static final long serialVersionUID = 1;

        private final Duration retryAfter;

        NoAnswer(String message) {
            this(message, Duration.ZERO);
        }

        NoAnswer(String message, Duration retryAfter) {
            super(message);
            this.retryAfter = retryAfter;
        }
    }

    /** A token and its times, by the monotonic ticker. */
    private static final class Token {

        private final String text;
        private final long asked;
        private final long lifetime;
        private final long renewal;

        Token(String text, long asked, Duration lifetime) {
            this.text = text;
            this.asked = asked;
            this.lifetime = lifetime.toNanos();
            Duration early = Pace.max(lifetime.minus(RENEWAL_MARGIN), lifetime.dividedBy(2));
            this.renewal =
                    Pace.min(lifetime.multipliedBy(4).dividedBy(5), early).toNanos();
        }

        boolean isFresh(long now) {
            return now - asked < renewal;
        }

        boolean isValid(long now) {
            return now - asked < lifetime;
        }
    }

    /** The settings of a {@link DeviceClient}. Not thread-safe. */
    public static final class Builder {

        private URI registry;
        private String serial;
        private String fleet;
        private Supplier<? extends Map<String, ?>> evidence = Map::of;
        private DeviceCertificate certificate;
        private URI audience;
        private CredentialStore store;
        private boolean plainHttpAllowed;
        private Duration giveUpAfter = Pace.FOR_EVER;
        private Duration initialSpread = Duration.ZERO;
        private Duration requestTimeout = REQUEST_TIMEOUT;
        private SSLContext tls;
        private Waiting waiting = Waiting.REAL;
        // Not a pseudo-random default: ten thousand equal devices that start in one millisecond must not draw equal
        // numbers.
        private RandomGenerator random = new SecureRandom();

        private Builder() {}

        /**
         * Sets where to register and get tokens. Without it, the address stored at registration is used.
         *
         * @param registry {@code https://host[:port][/path]}; plain http only to {@code localhost}, {@code 127.x.x.x} and
         *     {@code [::1]}, see {@link #allowPlainHttp()}
         * @return this
         */
        public Builder registry(URI registry) {
            this.registry = registry;
            return this;
        }

        /**
         * Sets the identifier this device was born with. If the store holds another serial's identity (a copied disk image),
         * that is an error and not used.
         *
         * @param serial 4 to 128 printable ASCII characters without blanks; judged by the registry
         * @return this
         */
        public Builder serial(String serial) {
            this.serial = serial;
            return this;
        }

        /**
         * Sets the fleet to ask for; without it, the registry's {@code default} fleet.
         *
         * @param fleet the fleet's name, not encoded
         * @return this
         * @throws IllegalArgumentException if it is blank, {@code .} or {@code ..}
         */
        public Builder fleet(String fleet) {
            if (fleet.isBlank() || fleet.equals(".") || fleet.equals("..")) {
                throw new IllegalArgumentException("not the name of a fleet: \"" + fleet + "\"");
            }
            this.fleet = fleet;
            return this;
        }

        /**
         * Sets what the device offers beyond its serial. Asked for again before each attempt to register, so that what expires
         * is always fresh, and never when the device has registered already. An exception of it ends the call.
         *
         * @param evidence returns strings, numbers, booleans, lists and maps by name; empty for none, never null
         * @return this
         */
        public Builder evidence(Supplier<? extends Map<String, ?>> evidence) {
            this.evidence = Objects.requireNonNull(evidence, "evidence");
            return this;
        }

        /**
         * Sets the certificate that the device proves its serial with. Before each attempt to register, the client asks the
         * registry for a nonce and signs that; the result is the member {@code x509} of the evidence.
         *
         * @param certificate the device's own
         * @return this
         */
        public Builder certificate(DeviceCertificate certificate) {
            this.certificate = Objects.requireNonNull(certificate, "certificate");
            return this;
        }

        /**
         * Sets the address that the registry has for itself ({@code muster.issuer}), which proofs are made for. Needed where
         * the device reaches it at another one.
         *
         * @param issuer the address; by default that of {@link #registry}
         * @return this
         */
        public Builder audience(URI issuer) {
            this.audience = Objects.requireNonNull(issuer, "issuer");
            return this;
        }

        /**
         * Sets the file that keeps the identity. Required.
         *
         * @param file see {@link CredentialStore#at}
         * @return this
         */
        public Builder store(Path file) {
            this.store = CredentialStore.at(file);
            return this;
        }

        /**
         * Sets how long {@link #register()} and {@link #accessToken()} may try before they throw {@link UnavailableException}.
         * The default is for ever, because a device without credentials has nothing better to do; set it where a person or a
         * watchdog waits. If the next attempt lies beyond the limit, the call fails at once instead of waiting for nothing.
         *
         * @param limit for a whole call, positive
         * @return this
         */
        public Builder giveUpAfter(Duration limit) {
            if (limit.isNegative() || limit.isZero()) {
                throw new IllegalArgumentException("the time to give up after must be positive: " + limit);
            }
            this.giveUpAfter = Pace.min(limit, Pace.FOR_EVER);
            return this;
        }

        /**
         * Delays the first request of this client, whenever it is made, until a random moment within the given time from
         * {@link #build()}. The default is zero. For large fleets that may get power at the same second: 30 to 60 s.
         *
         * @param spread zero or more; less than {@link #giveUpAfter}
         * @return this
         */
        public Builder initialSpread(Duration spread) {
            if (spread.isNegative()) {
                throw new IllegalArgumentException("a spread is not negative: " + spread);
            }
            this.initialSpread = Pace.min(spread, Pace.FOR_EVER);
            return this;
        }

        /**
         * Trusts the certificates of this file, and no others, to vouch for the registry: for registries whose certificate
         * comes from a private authority. Host names are verified as always. The default is the JDK's own list.
         *
         * @param pem X.509 certificates in PEM form, read now
         * @return this
         * @throws IOException if the file cannot be read, or has no certificate
         */
        public Builder trustedCertificates(Path pem) throws IOException {
            try (InputStream in = Files.newInputStream(pem)) {
                KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
                trusted.load(null, null);
                for (Certificate certificate :
                        CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                    trusted.setCertificateEntry("ca" + trusted.size(), certificate);
                }
                if (trusted.size() == 0) {
                    throw new IOException(pem + " has no certificate");
                }
                TrustManagerFactory factory =
                        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
                factory.init(trusted);
                tls = SSLContext.getInstance("TLS");
                tls.init(null, factory.getTrustManagers(), null);
            } catch (GeneralSecurityException e) {
                throw new IOException(pem + " is not a file of PEM certificates", e);
            }
            return this;
        }

        /**
         * Permits http to any host. Everybody on the way can then read the secret and give the device another one: for
         * try-outs in a network of your own.
         *
         * @return this
         */
        public Builder allowPlainHttp() {
            this.plainHttpAllowed = true;
            return this;
        }

        Builder requestTimeout(Duration timeout) {
            this.requestTimeout = timeout;
            return this;
        }

        Builder waiting(Waiting waiting) {
            this.waiting = waiting;
            return this;
        }

        Builder random(RandomGenerator random) {
            this.random = random;
            return this;
        }

        /**
         * Makes the client. No network, and nothing is read from the store yet.
         *
         * @return a client that is ready
         * @throws NullPointerException if there is no store
         * @throws IllegalArgumentException if the registry's address is not acceptable
         */
        public DeviceClient build() {
            if (tls == null) {
                try {
                    tls = SSLContext.getDefault();
                } catch (GeneralSecurityException e) {
                    throw new IllegalStateException("this JDK has no TLS", e);
                }
            }
            return new DeviceClient(this);
        }
    }
}
