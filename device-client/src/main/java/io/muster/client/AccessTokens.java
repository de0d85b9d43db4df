// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;

/**
 * The access token, kept in memory and renewed in time. The token endpoint also tells which of the stored credentials
 * works. If a rotation has left two, getting a token ends the rotation. Thread-safe; a caller with a valid token waits
 * for no other thread.
 */
final class AccessTokens {

    private static final Logger LOG = System.getLogger(AccessTokens.class.getName());

    private final TokenEndpoint endpoint;
    private final Patience patience;
    private final Credentials credentials;
    private final Registration registration;
    private final RotationSchedule schedule;
    private final Waiting waiting;
    private volatile AccessToken last; // null: none was needed yet, or it was dropped; replaced with the turn only

    AccessTokens(
            TokenEndpoint endpoint,
            Patience patience,
            Credentials credentials,
            Registration registration,
            RotationSchedule schedule,
            Waiting waiting) {
        this.endpoint = endpoint;
        this.patience = patience;
        this.credentials = credentials;
        this.registration = registration;
        this.schedule = schedule;
        this.waiting = waiting;
    }

    /** Returns a token that is valid now. Waits long only if there is none. */
    AccessToken current() throws IOException, RefusedException, InterruptedException {
        AccessToken current = last;
        if (isValid(current) && !current.isFresh(waiting.nanoTime())) {
            patience.ifPossibleNow(this::renew);
            current = last;
        }
        return isValid(current) ? current : obtain();
    }

    /** Returns the last token if it is valid now, else the other one. No network. */
    AccessToken lastOr(AccessToken other) {
        AccessToken newest = last;
        return isValid(newest) ? newest : other;
    }

    /** Forgets a token that the registry no longer takes. The caller has the turn. */
    void drop(AccessToken token) {
        if (last == token) {
            last = null;
        }
    }

    private AccessToken obtain() throws IOException, RefusedException, InterruptedException {
        Deadline call = patience.newCall();
        registration.registered(call);
        return patience.inTurn(call, limit -> isValid(last) ? last : patience.persistently(limit, this::askWithKnown));
    }

    /** Makes one attempt at most, since there is a valid token. */
    private void renew() throws InterruptedException {
        if (last == null || last.isFresh(waiting.nanoTime())) {
            return;
        }
        try {
            patience.once(this::askWithKnown);
        } catch (UnavailableException e) {
            // logged already; the pace says when the next caller tries
        } catch (RefusedException e) {
            patience.slowDown();
            LOG.log(Level.WARNING, "{0}; the present token is used until it ends", e.getMessage());
        }
    }

    private boolean isValid(AccessToken token) {
        return token != null && token.isValid(waiting.nanoTime());
    }

    /**
     * Makes one attempt with the credential that this process knows. If that is refused and another process has changed
     * the store, makes a second one with the stored content.
     */
    private AccessToken askWithKnown(Deadline limit) throws IOException, RefusedException, InterruptedException {
        StoreContent known = credentials.present();
        if (known.next().isPresent()) {
            return askWithStored(limit);
        }
        try {
            return keep(endpoint.ask(known, known.credential(), limit));
        } catch (RefusedException e) {
            if (!credentials.isChangedSince(known)) {
                throw e;
            }
            return askWithStored(limit); // another process has rotated
        }
    }

    private AccessToken askWithStored(Deadline limit) throws IOException, RefusedException, InterruptedException {
        credentials.lockedIfWritable(limit, this::confirm);
        return last;
    }

    /**
     * Gets one token with the store's present content, and so ends a rotation. Asks with the next credential, and if
     * that is refused, with the present one. Drops the one that the other has proved to be needless, and never both.
     * The caller has the turn and the store's lock.
     *
     * @return why the next credential was dropped; empty if it was not, or if there was none
     */
    Optional<RefusedException> confirm(Deadline limit) throws IOException, RefusedException, InterruptedException {
        StoreContent stored = credentials.reload();
        if (stored.next().isEmpty()) {
            keep(endpoint.ask(stored, stored.credential(), limit));
            return Optional.empty();
        }
        // Otherwise, when the next credential is gone, a request whose reply arrived would count as one without a
        // reply.
        credentials.forgetRequest();
        Credential next = stored.next().get();
        try {
            AccessToken token = endpoint.ask(stored, next, limit);
            credentials.useAndTryToSave(stored.replacedBy(next));
            keep(token);
            return Optional.empty();
        } catch (RefusedException e) {
            AccessToken token = endpoint.ask(stored, stored.credential(), limit);
            LOG.log(Level.WARNING, "the new credential is dropped, the one before is used: {0}", e.getMessage());
            credentials.useAndTryToSave(stored.withoutNext());
            keep(token);
            return Optional.of(e);
        }
    }

    private AccessToken keep(AccessToken token) {
        schedule.follow(token);
        last = token;
        return token;
    }
}
