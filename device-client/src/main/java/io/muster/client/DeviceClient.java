package io.muster.client;

import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Registers this device once, keeps its credential, replaces it when the registry asks for that, and gets access tokens with it.
 * Settings are fixed by the {@link Builder}; thread-safe; make one for the life of the process.
 *
 * <p><b>Waiting.</b> {@link #register()}, {@link #accessToken()} and {@link #rotate()} block. A reply of 202, 408, 429, 5xx or a
 * redirect, a reply that is not what a registry says, and every {@link IOException} on the way are tried again. Before attempt
 * <i>n</i>+1 the client waits a random time between zero and min(5 min, 1 s &times; 2<sup><i>n</i>-1</sup>) ("full jitter"). A
 * {@code Retry-After} of the registry is a minimum, whatever its value and in both its forms; a random time between zero and half
 * of it (at least the ceiling of the backoff, at most 5 minutes) is added. A date is measured against the reply's own {@code
 * Date}. By default this goes on until there is an answer or the thread is interrupted; see {@link Builder#giveUpAfter}. The pace
 * is the client's, not the call's: a loop around a call that gave up is no faster. Each failed attempt is logged at INFO.
 *
 * <p><b>Safe to repeat.</b> The registry may have accepted a request whose reply was lost. Every request for a credential is
 * written down before it is made, and made again as it was, even by a process that starts after a power cut: the registry gives
 * the same reply, sealed for a key that only this device has. A credential is on the disk before it is used.
 *
 * <p><b>Limits.</b> 10 s to connect, 30 s for a request with all of its reply, 64 KiB for a reply. Certificates and host names
 * are verified, and nothing here turns that off. Redirects are never followed. The JDK's default proxy selection applies
 * ({@code https.proxyHost}).
 */
public final class DeviceClient implements TokenSource {

    private static final Logger LOG = System.getLogger(DeviceClient.class.getName());
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);
    /** The part of the time that is left for a rotation in which one is begun; the rest is for failures. */
    private static final double ROTATION_SPREAD = 0.9;

    private final URI registry; // null: as stored
    private final String serial; // null: only what is stored is wanted
    private final String fleet; // null: the default fleet
    private final KeyKind keyKind; // null: a secret is wanted
    private final URI audience; // null: the registry's address
    private final Supplier<? extends Map<String, ?>> evidence;
    private final DeviceCertificate certificate; // null: none
    private final CredentialStore store;
    private final Duration giveUpAfter;
    private final Duration requestTimeout;
    private final Waiting waiting;
    private final RandomGenerator random;
    private final Registry wire;
    private final Tokens tokens;
    private final Rotation rotation;

    /** Held by the one thread that talks to the registry; guards {@link #pace} and the writing of all below. */
    private final ReentrantLock turn = new ReentrantLock();

    private final Pace pace;
    private Stored unsaved; // a registration that the disk did not take
    private volatile Stored stored;
    private volatile AccessToken token;
    private volatile Deadline rotationDue; // null: not asked for

    private DeviceClient(Builder builder) {
        this.registry = builder.registry;
        this.serial = builder.serial;
        this.fleet = builder.fleet;
        this.keyKind = builder.keyKind;
        this.audience = builder.audience;
        this.evidence = builder.evidence;
        this.certificate = builder.certificate;
        this.store = Objects.requireNonNull(builder.store, "a store is required");
        this.giveUpAfter = builder.giveUpAfter;
        this.requestTimeout = builder.requestTimeout;
        this.waiting = builder.waiting;
        this.random = builder.random;
        this.wire = new Registry(new Transport(builder.tls), waiting, builder.plainHttpAllowed);
        Authentication authentication = new Authentication(wire, waiting);
        this.tokens = new Tokens(wire, authentication, waiting, builder.dpop);
        this.rotation = new Rotation(wire, authentication);
        this.pace = new Pace(waiting, random, builder.initialSpread);
        if (registry != null) {
            wire.requireGoodAddress(registry);
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
        Stored known = stored;
        return (known != null ? Optional.of(known) : loaded()).map(Stored::identity);
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
     * @throws IOException if the store cannot be written. If that was so before the request, the registry was not asked; if after
     *     it, nothing is lost: the next call, or the next process, gets the same credential
     * @throws IllegalStateException if the store is empty and registry or serial was not set
     * @throws InterruptedException if interrupted while waiting; the registry may have accepted the request
     */
    public DeviceIdentity register() throws IOException, RefusedException, InterruptedException {
        return register(callBeginning()).identity();
    }

    /**
     * Returns an access token to send as {@code Authorization: Bearer} (or with a proof, see {@link #authorized}). Registers first
     * if need be. A token is kept in memory and renewed by the first call after 80 % of its lifetime, or from 30 s before its end
     * if that is earlier (but not in its first half); lifetimes are counted by the monotonic clock from before the request. Only
     * one thread renews, and others get the present token meanwhile. Renewal is one attempt; if it fails, even by a refusal, the
     * present token is returned until its lifetime ends.
     *
     * <p>If the registry wants the credential replaced, the first call after a random moment of the time that it gives (though not
     * in the last tenth) does that too, with one attempt, and returns the present token if it fails.
     *
     * @return a token that has not expired by this device's count
     * @throws RefusedException if the credential is not valid (any more): type {@code invalid_client}. Do not register again
     *     because of it; somebody has disabled the device
     * @throws UnavailableException if there is no valid token, and was no answer within {@link Builder#giveUpAfter}
     * @throws IOException as {@link #register()}
     * @throws IllegalStateException if {@link Builder#dpop()} was set and the device has a secret
     * @throws InterruptedException if interrupted while waiting
     */
    @Override
    public String accessToken() throws IOException, RefusedException, InterruptedException {
        return present().text();
    }

    /**
     * Adds the access token to a request: {@code Authorization: Bearer}, or with {@link Builder#dpop()} {@code Authorization:
     * DPoP} and a proof for the request's method and address (RFC 9449). The result is for one sending.
     *
     * @param request any; a header {@code Authorization} of it is replaced
     * @return a copy with the headers
     * @throws RefusedException as {@link #accessToken()}
     * @throws IOException as {@link #accessToken()}
     * @throws InterruptedException if interrupted while waiting
     */
    public HttpRequest authorized(HttpRequest request) throws IOException, RefusedException, InterruptedException {
        AccessToken present = present();
        HttpRequest.Builder copy = HttpRequest.newBuilder(
                request, (name, value) -> !name.equalsIgnoreCase("Authorization") && !name.equalsIgnoreCase("DPoP"));
        Instant time = wire.time().orElseGet(waiting::deviceTime);
        present.headers(request.method(), request.uri(), time).forEach(copy::header);
        return copy.build();
    }

    /**
     * Returns what {@link TokenSource#bearer()} does.
     *
     * @throws IllegalStateException if tokens are bound to the device's key: {@link #authorized} sends those
     */
    @Override
    public String bearer() throws IOException, RefusedException, InterruptedException {
        AccessToken present = present();
        if (present.isBound()) {
            throw new IllegalStateException("a token that is bound to a key is sent by authorized(request)");
        }
        return "Bearer " + present.text();
    }

    /**
     * Returns what an MQTT client logs in with: the secret, or the access token if the device has a key instead.
     *
     * @return for the life of this client
     */
    public MqttCredentials mqtt() {
        return new MqttCredentials(this, false);
    }

    /**
     * Returns what an MQTT client logs in with where the broker takes access tokens as passwords.
     *
     * @return for the life of this client
     */
    public MqttCredentials mqttWithToken() {
        return new MqttCredentials(this, true);
    }

    /** Asks the registry for the topics that the device has now, with an access token. Registers first if need be. */
    MqttTopics topics() throws IOException, RefusedException, InterruptedException {
        Map<String, String> headers = Map.of("Authorization", bearer());
        Deadline deadline = callBeginning();
        takeTurn(deadline);
        try {
            URI own = Registry.at(address(stored), "/devices/me");
            return persistently(
                    deadline,
                    limit -> MqttTopics.read(wire.get(own, headers, limit).json()));
        } finally {
            turn.unlock();
        }
    }

    /**
     * Replaces the credential: gets another, stores it beside the present one, proves to the registry that it works, and only then
     * drops the present one. Whatever happens in between, at every moment the store has a credential that works, and the next
     * call of this or of {@link #accessToken()} goes on from there. {@link #accessToken()} does this of itself when the registry
     * asks for it.
     *
     * @return the identity with the new credential, already used once
     * @throws RefusedException if the registry gives no other credential, or does not take the one it gave; the present one stays
     * @throws UnavailableException as {@link #register()}
     * @throws IOException as {@link #register()}
     * @throws InterruptedException if interrupted while waiting
     */
    public DeviceIdentity rotate() throws IOException, RefusedException, InterruptedException {
        Deadline deadline = callBeginning();
        register(deadline);
        takeTurn(deadline);
        try {
            rotateLocked(deadline);
            return stored.identity();
        } finally {
            turn.unlock();
        }
    }

    private AccessToken present() throws IOException, RefusedException, InterruptedException {
        AccessToken present = token;
        if (present != null && !present.isFresh(waiting.nanoTime()) && present.isValid(waiting.nanoTime())) {
            present = renewed(present);
        }
        if (present == null || !present.isValid(waiting.nanoTime())) {
            present = obtained();
        }
        return isRotationDue() ? rotated(present) : present;
    }

    private AccessToken obtained() throws IOException, RefusedException, InterruptedException {
        Deadline deadline = callBeginning();
        register(deadline);
        takeTurn(deadline);
        try {
            if (token == null || !token.isValid(waiting.nanoTime())) {
                token = persistently(deadline, this::askForToken);
            }
            return token;
        } finally {
            turn.unlock();
        }
    }

    /** One attempt at most, and none if another thread is at it: there is a token that works. */
    private AccessToken renewed(AccessToken present) throws IOException, InterruptedException {
        if (!turn.tryLock()) {
            return present;
        }
        try {
            if (!token.isFresh(waiting.nanoTime()) && pace.untilTurn().isZero()) {
                token = attempt(Deadline.after(requestTimeout, waiting), this::askForToken);
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

    private Stored register(Deadline deadline) throws IOException, RefusedException, InterruptedException {
        if (stored != null) {
            return stored;
        }
        takeTurn(deadline);
        try {
            Optional<Stored> known = stored != null ? Optional.of(stored) : loaded();
            if (known.isPresent()) {
                tidyUp();
            }
            stored = known.isPresent() ? known.get() : registerLocked(deadline);
            return stored;
        } finally {
            turn.unlock();
        }
    }

    /** Power may have gone between the identity and the end of the attempt that gave it. */
    private void tidyUp() throws InterruptedException {
        if (!store.hasPending()) {
            return;
        }
        try {
            Optional<CredentialStore.Lock> lock = store.lock(waiting, Duration.ZERO);
            if (lock.isPresent()) {
                CredentialStore.Lock held = lock.get();
                try (held) {
                    if (store.pending()
                            .filter(pending -> pending.rotates() != null)
                            .isEmpty()) {
                        store.deletePending();
                    }
                }
            }
        } catch (IOException e) {
            LOG.log(Level.INFO, "{0} cannot be written: {1}", store, e.toString());
        }
    }

    private Stored registerLocked(Deadline deadline) throws IOException, RefusedException, InterruptedException {
        if (registry == null || serial == null) {
            throw new IllegalStateException(
                    "this device has not registered yet; registry and serial are needed for it");
        }
        Registration registration = new Registration(wire, registry, audience, evidence, certificate);
        CredentialStore.Lock lock = lockStore(deadline);
        try (lock) {
            Optional<Stored> known = loaded(); // by whoever had the lock before
            if (known.isPresent()) {
                return known.get();
            }
            if (unsaved == null) {
                Pending pending = pending(null, serial, fleet, keyKind);
                unsaved = persistently(deadline, limit -> registration.ask(pending, limit));
            }
            store.save(unsaved);
            Stored fresh = unsaved;
            unsaved = null;
            deletePendingQuietly();
            return fresh;
        }
    }

    /** Goes on with the attempt that is written down, or begins one and writes it down. The caller holds the store's lock. */
    private Pending pending(String rotates, String serial, String fleet, KeyKind kind) throws IOException {
        Optional<Pending> begun = store.pending().filter(pending -> pending.isFor(serial, fleet, rotates, kind));
        if (begun.isPresent()) {
            return begun.get();
        }
        Pending pending = Pending.begin(serial, fleet, rotates, kind);
        store.save(pending);
        return pending;
    }

    /** One token, with what is stored; also for a store that another process has changed meanwhile. */
    private AccessToken askForToken(Deadline limit) throws IOException, RefusedException, InterruptedException {
        Stored known = stored;
        if (known.next() != null) {
            return settledAlone(limit);
        }
        try {
            return noted(tokens.ask(address(known), issuer(known), known.credential(), limit));
        } catch (RefusedException e) {
            if (!hasChanged(known)) {
                throw e;
            }
            return settledAlone(limit); // another process has rotated
        }
    }

    private boolean hasChanged(Stored known) {
        try {
            return loaded().filter(now -> !now.equals(known)).isPresent();
        } catch (IOException e) {
            return false; // what was loaded at the start is still as good as any
        }
    }

    private AccessToken settledAlone(Deadline limit) throws IOException, RefusedException, InterruptedException {
        Optional<CredentialStore.Lock> lock;
        try {
            lock = store.lock(waiting, limit.left());
        } catch (IOException e) {
            return settled(limit).token(); // read-only: nobody else can change it either
        }
        if (lock.isEmpty()) {
            throw new NoAnswer("another process holds the lock of the store");
        }
        CredentialStore.Lock held = lock.get();
        try (held) {
            return settled(limit).token();
        }
    }

    private record Settled(AccessToken token, Optional<RefusedException> nextRefused) {}

    /**
     * Ends a rotation: asks for a token with the next credential, and if that is refused, with the present one. Drops whichever of
     * them the other has proved to be needless, and never both. The caller holds the store's lock.
     */
    private Settled settled(Deadline limit) throws IOException, RefusedException, InterruptedException {
        Stored known = loaded().orElse(stored);
        stored = known;
        if (known.next() == null) {
            return new Settled(
                    noted(tokens.ask(address(known), issuer(known), known.credential(), limit)), Optional.empty());
        }
        // Or an attempt that had its reply would be taken for one that had none, once the next credential is gone.
        deletePendingQuietly();
        try {
            AccessToken obtained = tokens.ask(address(known), issuer(known), known.next(), limit);
            keep(known.confirmed());
            return new Settled(noted(obtained), Optional.empty());
        } catch (RefusedException e) {
            AccessToken obtained = tokens.ask(address(known), issuer(known), known.credential(), limit);
            LOG.log(Level.WARNING, "the new credential is dropped, the one before is used: {0}", e.getMessage());
            keep(known.withNext(null));
            return new Settled(noted(obtained), Optional.of(e));
        }
    }

    /** Both credentials are on the disk: if it takes no change now, the next start finds out anew which of them works. */
    private void keep(Stored changed) {
        stored = changed;
        try {
            store.save(changed);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "{0} cannot be written, tried again at the next start: {1}", store, e.toString());
        }
    }

    private void deletePendingQuietly() {
        try {
            store.deletePending();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "{0} cannot be written: {1}", store, e.toString());
        }
    }

    private boolean isRotationDue() {
        Deadline due = rotationDue;
        return due != null && due.isOver();
    }

    /** One attempt at most; whatever goes wrong, there is a token that works. */
    private AccessToken rotated(AccessToken present) throws InterruptedException {
        if (!turn.tryLock()) {
            return present;
        }
        try {
            if (isRotationDue() && pace.untilTurn().isZero()) {
                rotateLocked(Deadline.ofOneAttempt(requestTimeout, waiting));
            }
        } catch (IOException | RefusedException e) {
            rotationDue = null; // until a token reply asks again
            LOG.log(Level.WARNING, "the credential is not rotated yet: {0}", e.getMessage());
        } finally {
            turn.unlock();
        }
        return token != null && token.isValid(waiting.nanoTime()) ? token : present;
    }

    private void rotateLocked(Deadline deadline) throws IOException, RefusedException, InterruptedException {
        CredentialStore.Lock lock = lockStore(deadline);
        try (lock) {
            String before = stored.identity().key();
            stored = loaded().orElse(stored); // by whoever had the lock before
            boolean begunBefore = stored.next() != null;
            if (begunBefore || !before.equals(stored.identity().key())) {
                token = persistently(deadline, limit -> settled(limit).token());
                if (!before.equals(stored.identity().key())) {
                    return;
                }
            }
            provideNext(deadline);
            Settled settled = persistently(deadline, this::settled);
            token = settled.token();
            if (settled.nextRefused().isPresent()) {
                throw settled.nextRefused().get();
            }
        }
    }

    private void provideNext(Deadline deadline) throws IOException, RefusedException, InterruptedException {
        Stored known = stored;
        KeyKind kind =
                known.deviceKey() != null && keyKind == null ? known.deviceKey().kind() : keyKind;
        Pending pending = pending(known.identity().key(), known.identity().serial(), null, kind);
        Credential next = persistently(
                deadline, limit -> rotation.ask(address(known), issuer(known), known.credential(), pending, limit));
        store.save(known.withNext(next)); // or the pending attempt gets the same one again
        stored = known.withNext(next);
        deletePendingQuietly();
    }

    /** Draws the moment of the rotation that a token reply asks for, once for each credential, and writes it down. */
    private AccessToken noted(AccessToken obtained) {
        Optional<Instant> rotateBy = obtained.rotateBy();
        if (rotateBy.isEmpty()) {
            rotationDue = null;
            return obtained;
        }
        Duration wait;
        if (obtained.date().isEmpty()) {
            wait = part(obtained.lifetime()); // nothing to measure it against; soon is always right
        } else {
            Instant now = obtained.date().get();
            Instant moment = stored.rotateAt();
            if (moment == null || moment.isAfter(rotateBy.get())) {
                Duration left = Pace.max(Duration.ZERO, Duration.between(now, rotateBy.get()));
                moment = now.plus(part(left));
                writeDown(moment);
            }
            wait = Duration.between(now, moment);
        }
        rotationDue = Deadline.after(Pace.max(Duration.ZERO, wait), waiting);
        return obtained;
    }

    private Duration part(Duration whole) {
        return Duration.ofSeconds((long) (random.nextDouble() * ROTATION_SPREAD * whole.toSeconds()));
    }

    /** If it can be: for a process that runs on it is in memory, and the next one draws another. */
    private void writeDown(Instant moment) {
        Stored known = stored.withRotateAt(moment);
        stored = known;
        try {
            Optional<CredentialStore.Lock> lock = store.lock(waiting, Duration.ZERO);
            if (lock.isPresent()) {
                CredentialStore.Lock held = lock.get();
                try (held) {
                    Optional<Stored> now = loaded();
                    if (now.isPresent() && now.get().withRotateAt(moment).equals(known)) {
                        store.save(known);
                    }
                }
            }
        } catch (IOException e) {
            LOG.log(Level.INFO, "{0} cannot be written: {1}", store, e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private <T> T persistently(Deadline deadline, Attempt<T> attempt)
            throws IOException, RefusedException, InterruptedException {
        UnavailableException last = null;
        while (true) {
            Duration wait = pace.untilTurn();
            boolean never = !deadline.isPatient() && (last != null || !wait.isZero());
            if (never || wait.compareTo(deadline.left()) >= 0) {
                String why = last == null ? "its turn comes later" : last.getMessage();
                throw new UnavailableException("gave up at the limit of " + deadline.limit() + ": " + why, wait, last);
            }
            waiting.sleep(wait);
            try {
                Duration limit = Pace.min(requestTimeout, deadline.left());
                return attempt(Deadline.after(limit, waiting), attempt);
            } catch (UnavailableException e) {
                last = e;
            }
        }
    }

    private <T> T attempt(Deadline limit, Attempt<T> attempt)
            throws IOException, RefusedException, InterruptedException {
        try {
            T answer = attempt.within(limit);
            pace.succeeded();
            return answer;
        } catch (RefusedException e) {
            pace.succeeded();
            throw e;
        } catch (IOException e) {
            pace.failed(e instanceof NoAnswer answer ? answer.retryAfter() : Duration.ZERO);
            Duration wait = pace.untilTurn();
            LOG.log(Level.INFO, "no answer from the registry ({0}); next attempt in {1}", e.getMessage(), wait);
            throw new UnavailableException("no answer from the registry: " + e.getMessage(), wait, e);
        }
    }

    private Deadline callBeginning() {
        return Deadline.after(giveUpAfter, waiting);
    }

    private void takeTurn(Deadline deadline) throws UnavailableException, InterruptedException {
        if (!turn.tryLock(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
            throw new UnavailableException(
                    "another thread has been talking to the registry for " + giveUpAfter, Duration.ZERO, null);
        }
    }

    private CredentialStore.Lock lockStore(Deadline deadline) throws IOException, InterruptedException {
        Duration limit = deadline.isPatient() ? deadline.left() : Duration.ZERO;
        return store.lock(waiting, limit)
                .orElseThrow(() -> new UnavailableException(
                        "another process holds the lock of the store for longer than " + limit, Duration.ZERO, null));
    }

    private Optional<Stored> loaded() throws CredentialStore.UnusableException {
        Optional<Stored> loaded = store.loadAll();
        if (loaded.isPresent()
                && serial != null
                && !serial.equals(loaded.get().identity().serial())) {
            throw store.unusable("it is the identity of another serial, as after copying a disk image");
        }
        return loaded;
    }

    private URI address(Stored known) {
        URI address = registry != null ? registry : known.identity().registry();
        wire.requireGoodAddress(address); // the stored one may come from a client that allowed more
        return address;
    }

    private String issuer(Stored known) {
        URI own = audience != null ? audience : known.audience();
        return Registry.withoutSlash(own != null ? own : address(known));
    }

    /** Names the registry and the store. */
    @Override
    public String toString() {
        return "DeviceClient[" + (registry != null ? registry : "registry as stored") + ", " + store + "]";
    }

    @FunctionalInterface
    private interface Attempt<T> {
        T within(Deadline limit) throws IOException, RefusedException, InterruptedException;
    }

    /** The settings of a {@link DeviceClient}. Not thread-safe. */
    public static final class Builder {

        private URI registry;
        private String serial;
        private String fleet;
        private Supplier<? extends Map<String, ?>> evidence = Map::of;
        private DeviceCertificate certificate;
        private URI audience;
        private KeyKind keyKind;
        private boolean dpop;
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
         * the device reaches it at another one. A registration keeps it in the store.
         *
         * @param issuer the address; by default that of {@link #registry}
         * @return this
         */
        public Builder audience(URI issuer) {
            this.audience = Objects.requireNonNull(issuer, "issuer");
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
         * Registers with a key that the device makes itself, so that there is no secret: the private half is in the store and
         * never sent, and tokens are asked for with a signature (RFC 7523). A device that has a secret already gets a key at its
         * next {@link #rotate()}. A registry that knows no such keys gives a secret, which is then used.
         *
         * @param kind what kind of key to make
         * @return this
         */
        public Builder deviceKey(KeyKind kind) {
            this.keyKind = Objects.requireNonNull(kind, "kind");
            return this;
        }

        /**
         * Binds access tokens to the device's key (DPoP, RFC 9449), so that a token alone is of no use to who finds it. Needs
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
