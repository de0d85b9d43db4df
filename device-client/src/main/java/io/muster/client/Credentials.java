// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The device's credentials: in the store, which other processes may change, and as this process knows them. Reading is
 * thread-safe. Changes need the turn ({@link Patience}). Methods that also need the store's lock mention it.
 */
final class Credentials {

    private static final Logger LOG = System.getLogger(Credentials.class.getName());

    private final CredentialStore store;
    private final Optional<String> serial;
    private final Waiting waiting;
    private volatile Optional<StoreContent> known = Optional.empty();

    Credentials(CredentialStore store, Optional<String> serial, Waiting waiting) {
        this.store = store;
        this.serial = serial;
        this.waiting = waiting;
    }

    /**
     * Returns the content that this process knows; empty before the first look into the store, and if the store was
     * empty.
     */
    Optional<StoreContent> known() {
        return known;
    }

    /** Returns the content that this process knows, of a device that has registered. */
    StoreContent present() {
        return known.orElseThrow();
    }

    /** Returns the content that this process knows, else that of the store. */
    Optional<StoreContent> knownOrStored() throws CredentialStore.UnusableException {
        Optional<StoreContent> present = known;
        return present.isPresent() ? present : stored();
    }

    /**
     * Returns the store's present content.
     *
     * @throws CredentialStore.UnusableException if that is damaged, or another serial's
     */
    Optional<StoreContent> stored() throws CredentialStore.UnusableException {
        Optional<StoreContent> stored = store.loadAll();
        if (serial.isPresent()
                && stored.isPresent()
                && !serial.get().equals(stored.get().identity().serial())) {
            throw store.unusable("it is the identity of another serial, as after copying a disk image");
        }
        return stored;
    }

    /** Returns whether another process has changed the store. */
    boolean isChangedSince(StoreContent before) {
        try {
            Optional<StoreContent> now = stored();
            return now.isPresent() && !now.get().equals(before);
        } catch (IOException e) {
            return false; // what was loaded at the start is still as good as any
        }
    }

    /** Uses the store's present content, if there is any. */
    StoreContent reload() throws CredentialStore.UnusableException {
        return use(stored().orElse(present()));
    }

    /** Uses this content. */
    StoreContent use(StoreContent stored) {
        known = Optional.of(stored);
        return stored;
    }

    /** Writes the registry's reply, and only then uses it. The caller holds the lock. */
    StoreContent save(StoreContent changed) throws IOException {
        store.save(changed);
        return use(changed);
    }

    /**
     * Uses a change, and tries to write it. The stored content has both credentials, so if writing fails, the next
     * start finds out again which of them works. The caller holds the lock.
     */
    void useAndTryToSave(StoreContent changed) {
        use(changed);
        try {
            store.save(changed);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "{0} cannot be written, tried again at the next start: {1}", store, e.toString());
        }
    }

    /**
     * Writes down when to rotate, if possible. A process that stays up has it in memory; the next one would draw
     * another moment.
     */
    void rotateAt(Instant moment) {
        StoreContent changed = use(present().withRotateAt(moment));
        try {
            store.locked(waiting, Duration.ZERO, () -> {
                Optional<StoreContent> now = stored();
                if (now.isPresent() && now.get().withRotateAt(moment).equals(changed)) {
                    store.save(changed);
                }
                return changed;
            });
        } catch (IOException e) {
            LOG.log(Level.INFO, "{0} cannot be written: {1}", store, e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Continues the request that is written down, or begins one and writes it down. The caller holds the lock. */
    CredentialRequest request(
            String serial, Optional<String> fleet, Optional<String> rotates, Optional<KeyKind> deviceKey)
            throws IOException {
        Optional<CredentialRequest> begun = store.request();
        if (begun.isPresent() && begun.get().isFor(serial, fleet, rotates, deviceKey)) {
            return begun.get();
        }
        CredentialRequest request = CredentialRequest.begin(serial, fleet, rotates, deviceKey);
        store.save(request);
        return request;
    }

    /** Forgets the request, whose reply is stored, if the disk permits it. The caller holds the lock. */
    void forgetRequest() {
        try {
            store.deleteRequest();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "{0} cannot be written: {1}", store, e.toString());
        }
    }

    /** Forgets a request whose identity is stored: the power may have failed before it could be deleted. */
    void forgetLeftoverRequest() throws InterruptedException {
        if (!store.hasRequest()) {
            return;
        }
        try {
            store.locked(waiting, Duration.ZERO, () -> {
                Optional<CredentialRequest> request = store.request();
                if (request.isEmpty() || !request.get().isRotation()) {
                    store.deleteRequest();
                }
                return request;
            });
        } catch (IOException e) {
            LOG.log(Level.INFO, "{0} cannot be written: {1}", store, e.toString());
        }
    }

    /** Does a part of a call with the store's lock. */
    <T> T locked(Deadline call, Patience.Exchange<T> exchange)
            throws IOException, RefusedException, InterruptedException {
        Duration limit = call.isPatient() ? call.left() : Duration.ZERO;
        return store.locked(waiting, limit, () -> exchange.within(call))
                .orElseThrow(() -> new UnavailableException(
                        "another process holds the lock of the store for longer than " + limit, Duration.ZERO, null));
    }

    /**
     * Makes one attempt with the store's lock. If the store is read-only, it does without: nobody else can change it
     * either.
     */
    <T> T lockedIfWritable(Deadline attempt, Patience.Exchange<T> exchange)
            throws IOException, RefusedException, InterruptedException {
        Optional<CredentialStore.Lock> lock;
        try {
            lock = store.lock(waiting, attempt.left());
        } catch (IOException e) {
            return exchange.within(attempt);
        }
        if (lock.isEmpty()) {
            throw new NoAnswer("another process holds the lock of the store");
        }
        return lock.get().during(() -> exchange.within(attempt));
    }

    /** Names the store. */
    @Override
    public String toString() {
        return store.toString();
    }
}
