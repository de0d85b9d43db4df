// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import io.muster.api.DisplayCode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLContext;

/**
 * Registers this device once and keeps its credential. Replaces the credential when the registry asks for that, and
 * gets access tokens with it. The {@link Builder} fixes the settings. Thread-safe; make one for the life of the
 * process.
 *
 * <p><b>Waiting.</b> {@link #register()}, {@link #accessToken()} and {@link #rotate()} block. The client retries after
 * a reply of 202, 408, 429, 5xx or a redirect, after a reply that is not a registry's, and after every
 * {@link IOException} on the way. Before attempt <i>n</i>+1 it waits a random time between zero and min(5 min, 1 s
 * &times; 2<sup><i>n</i>-1</sup>) ("full jitter"). A {@code Retry-After} of the registry is a minimum, whatever its
 * value and in both its forms. To it the client adds a random time between zero and half of it (at least the ceiling of
 * the backoff, at most 5 minutes). A 202 means that the decision about this device is still open. It is no failure, so
 * the ceiling starts over, and the wait is a minute if the registry names none. A date is measured against the reply's
 * own {@code Date}. By default this goes on until there is an answer or the thread is interrupted; see
 * {@link Builder#giveUpAfter}. The pace belongs to the client and not to the call, so a loop around a call that gave up
 * is no faster. Each failed attempt is logged at INFO.
 *
 * <p><b>Safe to repeat.</b> The registry may have accepted a request whose reply was lost. So every request for a
 * credential is written down before it is made, and repeated unchanged, even by a process that starts after a power
 * cut. The registry then gives the same reply, sealed for a key that only this device has. A credential is on the disk
 * before it is used.
 *
 * <p><b>Limits.</b> 10 s to connect, 30 s for a request with all of its reply, 64 KiB for a reply. Certificates and
 * host names are always verified; you cannot turn that off. Redirects are never followed. The JDK's default proxy
 * selection applies ({@code https.proxyHost}).
 */
public final class DeviceClient implements TokenSource {

    private static final int UNAUTHORIZED = 401;

    private final Registry registry;
    private final Waiting waiting;
    private final Patience patience;
    private final Credentials credentials;
    private final Registration registration;
    private final AccessTokens tokens;
    private final Rotation rotation;
    private final AtomicReference<Known> known = new AtomicReference<>();

    private DeviceClient(Builder builder) {
        CredentialStore store = Objects.requireNonNull(builder.store, "a store is required");
        waiting = builder.waiting;
        registry = new Registry(new Transport(builder.tls.orElseGet(Transport::defaultTls)), builder);
        Pace pace = new Pace(waiting, builder.random, builder.initialSpread);
        patience = new Patience(pace, builder.giveUpAfter, builder.requestTimeout, waiting);
        credentials = new Credentials(store, builder.serial, waiting);

        registration = new Registration(registry, patience, credentials, builder);
        Authentication authentication = new Authentication(registry, waiting);
        TokenEndpoint endpoint = new TokenEndpoint(registry, authentication, waiting, builder.dpop);
        RotationSchedule schedule = new RotationSchedule(credentials, waiting, builder.random);
        tokens = new AccessTokens(endpoint, patience, credentials, registration, schedule, waiting);
        rotation = new Rotation(registry, authentication, patience, credentials, tokens, schedule, builder.keyKind);
    }

    /**
     * Starts a client's settings. A device that has registered before needs only {@link Builder#store}. To register, it
     * also needs {@link Builder#registry} and {@link Builder#serial}.
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
        return credentials.knownOrStored().map(StoreContent::identity);
    }

    /**
     * Returns the stored identity without any network. If there is none, registers, and stores the identity before
     * returning. Threads and processes that share a store register once.
     *
     * @return the identity, already safe on disk
     * @throws RefusedException if the registry does not admit the device; repeating the call is of no use until
     *     something changes on its side
     * @throws UnavailableException if there was no answer within {@link Builder#giveUpAfter}
     * @throws CredentialStore.UnusableException if the store is damaged or holds another serial's identity; the
     *     registry was not asked
     * @throws IOException if the store cannot be written. If writing failed before the request, the registry was not
     *     asked. If it failed after the request, nothing is lost: the next call, or the next process, gets the same
     *     credential
     * @throws IllegalStateException if the store is empty and registry or serial was not set
     * @throws InterruptedException if interrupted while waiting; the registry may have accepted the request
     */
    public DeviceIdentity register() throws IOException, RefusedException, InterruptedException {
        return registration.registered(patience.newCall()).identity();
    }

    /**
     * Returns an access token to send as {@code Authorization: Bearer} (or with a proof, see {@link #authorized}).
     * Registers first if need be. The token is kept in memory. The first call after 80 % of its lifetime renews it, or
     * the first one in its last 30 s if that is earlier (but not in its first half). Lifetimes are counted by the
     * monotonic clock from before the request. Only one thread renews, and others get the present token meanwhile.
     * Renewal is one attempt. If it fails, even by a refusal, the present token is returned until its lifetime ends.
     *
     * <p>The registry may want the credential replaced, and gives a time for it. The first call after a random moment
     * of that time, though not in its last tenth, does that too. It makes one attempt, and returns the present token if
     * that fails.
     *
     * @return a token that has not expired by this device's count
     * @throws RefusedException if the credential is not valid (any more): type {@code invalid_client}. Do not register
     *     again because of it: somebody has disabled the device
     * @throws UnavailableException if there is no valid token, and no answer came within {@link Builder#giveUpAfter}
     * @throws IOException as {@link #register()}
     * @throws IllegalStateException if {@link Builder#dpop()} was set and the device has a secret
     * @throws InterruptedException if interrupted while waiting
     */
    @Override
    public String accessToken() throws IOException, RefusedException, InterruptedException {
        return token().text();
    }

    /**
     * Adds the access token to a request: {@code Authorization: Bearer}. With {@link Builder#dpop()} it adds
     * {@code Authorization: DPoP} and a proof for the request's method and address (RFC 9449). Send the result only
     * once.
     *
     * @param request any; its header {@code Authorization} is replaced
     * @return a copy with the headers
     * @throws RefusedException as {@link #accessToken()}
     * @throws IOException as {@link #accessToken()}
     * @throws InterruptedException if interrupted while waiting
     */
    public HttpRequest authorized(HttpRequest request) throws IOException, RefusedException, InterruptedException {
        AccessToken token = token();
        HttpRequest.Builder copy = HttpRequest.newBuilder(
                request, (name, value) -> !name.equalsIgnoreCase("Authorization") && !name.equalsIgnoreCase("DPoP"));
        headers(token, request.method(), request.uri()).forEach(copy::header);
        return copy.build();
    }

    private Map<String, String> headers(AccessToken token, String method, URI uri) throws IOException {
        return token.headers(method, uri, registry.time().orElseGet(waiting::deviceTime));
    }

    /**
     * Returns the same as {@link TokenSource#bearer()}.
     *
     * @throws IllegalStateException if tokens are bound to the device's key: {@link #authorized} sends those
     */
    @Override
    public String bearer() throws IOException, RefusedException, InterruptedException {
        AccessToken token = token();
        if (token.isBound()) {
            throw new IllegalStateException("a token that is bound to a key is sent by authorized(request)");
        }
        return "Bearer " + token.text();
    }

    /**
     * Returns the login for an MQTT client: with the secret, or with the access token if the device has a key instead.
     *
     * @return for the life of this client
     */
    public MqttCredentials mqtt() {
        return new MqttCredentials(this, false);
    }

    /**
     * Returns the login for an MQTT client whose broker takes access tokens as passwords.
     *
     * @return for the life of this client
     */
    public MqttCredentials mqttWithToken() {
        return new MqttCredentials(this, true);
    }

    /** Asks the registry for the device's present topics, with an access token. Registers first if need be. */
    MqttTopics topics() throws IOException, RefusedException, InterruptedException {
        bearer();
        return own("GET", "", Map.of(), Optional.empty(), answer -> MqttTopics.read(answer.json()));
    }

    /**
     * Asks the registry whether this device has an owner. Nothing is remembered here, and the registry does not tell
     * who it is.
     *
     * @return false also if the registry is older and has no owners
     * @throws RefusedException as {@link #accessToken()}
     * @throws IOException as {@link #accessToken()}
     * @throws InterruptedException if interrupted while waiting
     */
    public boolean isOwned() throws IOException, RefusedException, InterruptedException {
        return own(
                "GET", "", Map.of(), Optional.empty(), answer -> answer.json().get("owned") == Boolean.TRUE);
    }

    /**
     * Gets a code for this device's display, by which the user in front of it claims it. Each call voids the code of
     * the one before.
     *
     * @return a code that is good once and for some minutes
     * @throws RefusedException as {@link #accessToken()}; type {@code not-found} if devices of the fleet are not
     *     claimed by code
     * @throws IOException as {@link #accessToken()}
     * @throws InterruptedException if interrupted while waiting
     */
    public DisplayCode claimCode() throws IOException, RefusedException, InterruptedException {
        return own("POST", "/claim-code", Map.of(), Optional.empty(), answer -> Json.displayCode(answer.json()));
    }

    /**
     * Asks the registry for this device's present configuration, which its fleet's document says. Compare its version
     * with the one of before. A configuration that is the same is not sent again.
     *
     * @return never null; empty with version {@code ""} if the registry is older and has no versions
     * @throws RefusedException as {@link #accessToken()}
     * @throws IOException as {@link #accessToken()}
     * @throws InterruptedException if interrupted while waiting
     */
    public DeviceConfiguration configuration() throws IOException, RefusedException, InterruptedException {
        Optional<Known> before = Optional.ofNullable(known.get());
        Registry.Answer answer = own("GET", "", Map.of(), before.map(Known::tag), whole -> whole);
        if (answer.isNotModified() && before.isPresent()) {
            return before.get().configuration();
        }
        return remember(answer);
    }

    /**
     * Tells the registry attributes of this device. Its fleet says which a device may report, and their bounds. A
     * report whose reply was lost is sent again, which does no harm: it says how things are, not what changed.
     *
     * @param attributes strings, numbers and booleans by name; null for one that the device no longer has
     * @return the configuration afterwards, which may depend on the attributes
     * @throws RefusedException as {@link #accessToken()}; type {@code forbidden} if the fleet's devices report nothing,
     *     {@code invalid-request} with every fault
     * @throws IllegalArgumentException if there is a value of another type
     * @throws IOException as {@link #accessToken()}
     * @throws InterruptedException if interrupted while waiting
     */
    public DeviceConfiguration report(Map<String, ?> attributes)
            throws IOException, RefusedException, InterruptedException {
        Map<String, Object> copy = new LinkedHashMap<>(attributes);
        return remember(own("PATCH", "", Map.of("attributes", copy), Optional.empty(), whole -> whole));
    }

    /** The last answer of the registry, with its entity tag. */
    private record Known(String tag, DeviceConfiguration configuration) {}

    private DeviceConfiguration remember(Registry.Answer answer) {
        DeviceConfiguration configuration = DeviceConfiguration.read(answer.json());
        answer.tag().ifPresent(tag -> known.set(new Known(tag, configuration)));
        return configuration;
    }

    /** Reads a reply of the registry. */
    private interface Reading<T> {
        T of(Registry.Answer answer) throws NoAnswer;
    }

    /** Asks for something of the device's own, a second time with a new token if the first one is no longer good. */
    private <T> T own(String method, String path, Map<String, ?> body, Optional<String> unless, Reading<T> reading)
            throws IOException, RefusedException, InterruptedException {
        try {
            return own(token(), method, path, body, unless, reading);
        } catch (RefusedException e) {
            if (e.status() != UNAUTHORIZED) {
                throw e;
            }
            return own(token(), method, path, body, unless, reading);
        }
    }

    private <T> T own(
            AccessToken token,
            String method,
            String path,
            Map<String, ?> body,
            Optional<String> unless,
            Reading<T> reading)
            throws IOException, RefusedException, InterruptedException {
        return patience.inTurn(patience.newCall(), call -> {
            URI uri = Registry.at(registry.address(credentials.present()), "/devices/me" + path);
            try {
                return patience.persistently(call, limit -> {
                    Map<String, String> headers = new LinkedHashMap<>(headers(token, method, uri));
                    unless.ifPresent(tag -> headers.put("If-None-Match", tag));
                    return reading.of(registry.own(method, uri, body, headers, limit));
                });
            } catch (RefusedException e) {
                if (e.status() == UNAUTHORIZED) {
                    tokens.drop(token);
                }
                throw e;
            }
        });
    }

    /**
     * Replaces the credential: gets another, stores it beside the present one, proves to the registry that it works,
     * and only then drops the present one. At every moment the store has a credential that works. After an
     * interruption, the next call of this or of {@link #accessToken()} continues. {@link #accessToken()} rotates by
     * itself when the registry asks for it.
     *
     * @return the identity with the new credential, already used once
     * @throws RefusedException if the registry gives no other credential, or does not accept the one it gave; the
     *     present one stays
     * @throws UnavailableException as {@link #register()}
     * @throws IOException as {@link #register()}
     * @throws InterruptedException if interrupted while waiting
     */
    public DeviceIdentity rotate() throws IOException, RefusedException, InterruptedException {
        Deadline call = patience.newCall();
        registration.registered(call);
        return rotation.rotate(call).identity();
    }

    private AccessToken token() throws IOException, RefusedException, InterruptedException {
        AccessToken token = tokens.current();
        rotation.rotateIfDue();
        return tokens.lastOr(token);
    }

    /** Names the registry and the store. */
    @Override
    public String toString() {
        String where = registry.configuredAddress().map(URI::toString).orElse("registry as stored");
        return "DeviceClient[" + where + ", " + credentials + "]";
    }

    /** The settings of a {@link DeviceClient}. Not thread-safe. */
    public static final class Builder {

        // Not private: the parts of a client read these when they are made.
        Optional<URI> registry = Optional.empty();
        Optional<String> serial = Optional.empty();
        Optional<String> fleet = Optional.empty();
        Supplier<? extends Map<String, ?>> evidence = Map::of;
        Optional<DeviceCertificate> certificate = Optional.empty();
        Optional<URI> audience = Optional.empty();
        Optional<KeyKind> keyKind = Optional.empty();
        boolean plainHttpAllowed;
        Waiting waiting = Waiting.REAL;

        private boolean dpop;
        private CredentialStore store;
        private Duration giveUpAfter = Pace.FOR_EVER;
        private Duration initialSpread = Duration.ZERO;
        private Duration requestTimeout = Duration.ofSeconds(30);
        private Optional<SSLContext> tls = Optional.empty();
        // Not a pseudo-random default: ten thousand equal devices that start in one millisecond must not draw equal
        // numbers.
        private RandomGenerator random = new SecureRandom();

        private Builder() {}

        /**
         * Sets where to register and get tokens; by default the address stored at registration.
         *
         * @param registry {@code https://host[:port][/path]}; plain http only to {@code localhost}, {@code 127.x.x.x}
         *     and {@code [::1]}, see {@link #allowPlainHttp()}
         * @return this
         */
        public Builder registry(URI registry) {
            this.registry = Optional.ofNullable(registry);
            return this;
        }

        /**
         * Sets the identifier this device was born with. If the store holds another serial's identity (a copied disk
         * image), that is an error, and that identity is not used.
         *
         * @param serial 4 to 128 printable ASCII characters without blanks; judged by the registry
         * @return this
         */
        public Builder serial(String serial) {
            this.serial = Optional.ofNullable(serial);
            return this;
        }

        /**
         * Sets the fleet to ask for; by default the registry's {@code default} fleet.
         *
         * @param fleet the fleet's name, not encoded
         * @return this
         * @throws IllegalArgumentException if it is blank, {@code .} or {@code ..}
         */
        public Builder fleet(String fleet) {
            if (fleet.isBlank() || fleet.equals(".") || fleet.equals("..")) {
                throw new IllegalArgumentException("not the name of a fleet: \"" + fleet + "\"");
            }
            this.fleet = Optional.of(fleet);
            return this;
        }

        /**
         * Sets the evidence that the device offers beyond its serial. The client calls the supplier before each attempt
         * to register, so that evidence that expires is always fresh. It does not call it when the device has
         * registered already. An exception of the supplier ends the call.
         *
         * @param evidence returns strings, numbers, booleans, lists and maps by name; empty for none, never null
         * @return this
         */
        public Builder evidence(Supplier<? extends Map<String, ?>> evidence) {
            this.evidence = Objects.requireNonNull(evidence, "evidence");
            return this;
        }

        /**
         * Sets the certificate with which the device proves its serial. Before each attempt to register, the client
         * asks the registry for a nonce and signs it. The result is the member {@code x509} of the evidence.
         *
         * @param certificate the device's own
         * @return this
         */
        public Builder certificate(DeviceCertificate certificate) {
            this.certificate = Optional.of(Objects.requireNonNull(certificate, "certificate"));
            return this;
        }

        /**
         * Sets the registry's own address ({@code muster.issuer}), for which proofs are made. You need it if the device
         * reaches the registry at another address. A registration keeps it in the store.
         *
         * @param issuer the address; by default that of {@link #registry}
         * @return this
         */
        public Builder audience(URI issuer) {
            this.audience = Optional.of(Objects.requireNonNull(issuer, "issuer"));
            return this;
        }

        /**
         * Registers with a key that the device makes itself, on P-256: {@link #deviceKey(KeyKind)}.
         *
         * @return this
         */
        public Builder deviceKey() {
            return deviceKey(KeyKind.P256);
        }

        /**
         * Registers with a key that the device makes itself, so that there is no secret. The private half is in the
         * store and never sent, and a signature authenticates requests for tokens (RFC 7523). A device that has a
         * secret already gets a key at its next {@link #rotate()}. A registry that does not support such keys gives a
         * secret, which is then used.
         *
         * @param kind the kind of key to make
         * @return this
         */
        public Builder deviceKey(KeyKind kind) {
            this.keyKind = Optional.of(Objects.requireNonNull(kind, "kind"));
            return this;
        }

        /**
         * Binds access tokens to the device's key (DPoP, RFC 9449), so that a stolen token alone is of no use. Needs
         * {@link #deviceKey()}. Send such tokens by {@link DeviceClient#authorized}.
         *
         * @return this
         */
        public Builder dpop() {
            this.dpop = true;
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
         * Sets how long {@link #register()} and {@link #accessToken()} may try before they throw
         * {@link UnavailableException}. The default is for ever, because a device without credentials has nothing
         * better to do. Set it where a person or a watchdog waits. If the next attempt lies beyond the limit, the call
         * fails at once instead of waiting in vain.
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
         * Delays the first request of this client until a random moment within the given time from {@link #build()}.
         * The default is zero. Set 30 to 60 s for large fleets that may get power at the same second.
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
         * Trusts the certificates of this file, and no others, to vouch for the registry; by default the JDK's own
         * list. You need it for a registry whose certificate comes from a private authority. Host names are verified as
         * always.
         *
         * @param pem X.509 certificates in PEM form, read now
         * @return this
         * @throws IOException if the file cannot be read, or has no certificate
         */
        public Builder trustedCertificates(Path pem) throws IOException {
            this.tls = Optional.of(Transport.tlsThatTrusts(pem));
            return this;
        }

        /**
         * Permits http to any host. Anybody on the way can then read the secret and give the device another one. Use it
         * only for trials in a network of your own.
         *
         * @return this
         */
        public Builder allowPlainHttp() {
            this.plainHttpAllowed = true;
            return this;
        }

        Builder store(CredentialStore store) {
            this.store = store;
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
         * Makes the client. Uses no network, and reads nothing from the store yet.
         *
         * @return a client that is ready
         * @throws NullPointerException if there is no store
         * @throws IllegalArgumentException if the registry's address is not acceptable
         */
        public DeviceClient build() {
            return new DeviceClient(this);
        }
    }
}
