// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.config.MusterConfig.RegisterAgainRule;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * The promises of {@code docs/registration.md} about one serial, as a state machine: its device, credentials,
 * allowances and sealed replies. It shares no code with the product. Immutable; equal states are equal values.
 *
 * @param credentials all that were issued, the oldest first
 * @param allowances all that were given, the oldest first
 * @param sealed the replies that a repeated request gets again, by the name of the attempt
 */
record SerialModel(
        Policy policy,
        Optional<Standing> device,
        List<Held> credentials,
        List<Permission> allowances,
        Map<String, Kept> sealed) {

    static final Duration SEALED_FOR = Duration.ofHours(24);
    private static final String EVERY_OTHER = "*";

    /** The rules of the fleet's document. */
    record Policy(RegisterAgainRule rule, Duration unconfirmed, Duration overlap, Optional<Duration> lifetime) {}

    enum Standing {
        ACTIVE,
        DISABLED,
        RETIRED
    }

    /**
     * A credential.
     *
     * @param pair the name of the key pair that the device keeps; empty for a secret
     * @param end when it ends by itself; empty for never
     * @param replaces the key that its first use ends; {@code *} for every other one; empty for none
     */
    record Held(
            String key,
            String pair,
            boolean used,
            boolean ended,
            Instant issued,
            Optional<Instant> end,
            String replaces) {

        boolean isGood(Instant now) {
            return !ended && end.map(now::isBefore).orElse(true);
        }

        Held finished() {
            return new Held(key, pair, used, true, issued, end, replaces);
        }

        Held endingBy(Instant at) {
            return new Held(
                    key,
                    pair,
                    used,
                    ended,
                    issued,
                    Optional.of(end.filter(at::isAfter).orElse(at)),
                    replaces);
        }
    }

    enum Fate {
        OPEN,
        SPENT,
        TAKEN_BACK
    }

    /**
     * An allowance.
     *
     * @param given the key of the credential that the serial last got with it; may be empty
     */
    record Permission(String id, Instant from, Instant to, String given, Fate fate) {

        boolean permits(Instant now) {
            return fate == Fate.OPEN && !now.isBefore(from) && now.isBefore(to);
        }

        Permission with(Fate other) {
            return new Permission(id, from, to, given, other);
        }
    }

    record Kept(String key, String text, Instant until) {}

    /** A request. */
    sealed interface Call {}

    /**
     * A registration.
     *
     * @param pair the name of the key pair that it offers; empty for a secret
     * @param provesPair whether its proof is good
     * @param presented the key of the credential that came with it; may be empty
     * @param seal the name of the attempt; empty for a reply in clear
     */
    record Register(String pair, boolean provesPair, String presented, String seal) implements Call {}

    /** As a registration, but renews the credential that was presented. */
    record Renew(String pair, boolean provesPair, String presented, String seal) implements Call {}

    /**
     * An authentication.
     *
     * @param right whether the secret or the signature is right
     */
    record Use(String key, boolean right) implements Call {}

    /**
     * A revocation.
     *
     * @param key of the one to revoke; empty for all
     */
    record Revoke(String key) implements Call {}

    /** Revokes all present credentials of the serial's lot. */
    record RevokeLot() implements Call {}

    record Become(Standing wanted) implements Call {}

    record Allow(Duration begins, Duration lasts) implements Call {}

    record TakeBack(String allowance) implements Call {}

    enum Said {
        ISSUED,
        REFUSED,
        CONFLICT,
        YES,
        NO,
        DONE
    }

    /**
     * The answer.
     *
     * @param name of the credential or the allowance in it; may be empty
     * @param text the bytes of a sealed reply; may be empty
     */
    record Answer(Said said, String name, String text) {

        static Answer of(Said said) {
            return new Answer(said, "", "");
        }
    }

    /** The answer that must come, and the state afterwards. */
    private record Step(Said said, Predicate<Answer> right, UnaryState after) {}

    private interface UnaryState {
        SerialModel after(Answer answer);
    }

    /**
     * The state of a serial as it shows from outside.
     *
     * @param credentials by their keys
     * @param allowances by their ids
     */
    record View(Optional<Standing> device, Map<String, Seen> credentials, Map<String, Fate> allowances) {}

    /**
     * The state of a credential as it shows from outside.
     *
     * @param end of one that is good; empty for one that is not
     */
    record Seen(boolean good, boolean used, Optional<Instant> end) {}

    View view(Instant now) {
        boolean active = device.equals(Optional.of(Standing.ACTIVE));
        Map<String, Seen> seen = new TreeMap<>();
        for (Held held : credentials) {
            boolean good = active && held.isGood(now);
            seen.put(held.key(), new Seen(good, held.used(), good ? held.end() : Optional.empty()));
        }
        Map<String, Fate> fates = new TreeMap<>();
        allowances.forEach(one -> fates.put(one.id(), one.fate()));
        return new View(device, seen, fates);
    }

    static SerialModel unknown(Policy policy) {
        return new SerialModel(policy, Optional.empty(), List.of(), List.of(), Map.of());
    }

    /** Returns the state after a call that was answered in this way, or empty if the promises forbid the answer. */
    Optional<SerialModel> after(Call call, Answer answer, Instant now) {
        Step step = step(call, now);
        return step.said() == answer.said() && step.right().test(answer)
                ? Optional.of(step.after().after(answer))
                : Optional.empty();
    }

    /** Returns the kind of answer that a call must get now. */
    Said expected(Call call, Instant now) {
        return step(call, now).said();
    }

    private Step step(Call call, Instant now) {
        if (call instanceof Register register) {
            return registered(register, now);
        }
        if (call instanceof Renew renew) {
            return renewed(renew, now);
        }
        if (call instanceof Use use) {
            return used(use, now);
        }
        if (call instanceof Revoke revoke) {
            return revoked(revoke, now);
        }
        if (call instanceof RevokeLot) {
            // The clock may have been set back since one was issued.
            return is(
                    Said.DONE,
                    withCredentials(each(credentials, held -> !held.issued().isAfter(now), Held::finished)));
        }
        if (call instanceof Become become) {
            return became(become.wanted(), now);
        }
        if (call instanceof Allow allow) {
            Instant from = now.plus(allow.begins());
            return new Step(Said.DONE, answer -> true, answer -> {
                List<Permission> more = new ArrayList<>(allowances);
                more.add(new Permission(answer.name(), from, from.plus(allow.lasts()), "", Fate.OPEN));
                return withAllowances(more);
            });
        }
        return takenBack(((TakeBack) call).allowance());
    }

    private Step is(Said said, SerialModel after) {
        return new Step(said, answer -> true, answer -> after);
    }

    // Registration

    private Step registered(Register call, Instant now) {
        if (!call.pair().isEmpty() && !call.provesPair()) {
            return is(Said.REFUSED, this);
        }
        String attempt = attempt(call.pair(), call.seal());
        if (device.isEmpty()) {
            return issued(call.pair(), attempt, "", now);
        }
        Optional<Kept> again = repeated(attempt, now);
        if (again.isPresent()) {
            return repeats(again.get());
        }
        Optional<Permission> open = open(now);
        if (device.get() == Standing.RETIRED && open.isPresent()) {
            return withCredentials(each(credentials, held -> true, Held::finished))
                    .with(Standing.ACTIVE)
                    .byAllowance(open.get(), call.pair(), attempt, now);
        }
        if (device.get() != Standing.ACTIVE) {
            return is(Said.REFUSED, this);
        }
        Optional<Held> same =
                good(now, held -> !call.pair().isEmpty() && held.pair().equals(call.pair()));
        if (same.isPresent()) {
            return same(same.get(), attempt, now);
        }
        boolean lost = !call.pair().isEmpty()
                && credentials.stream().anyMatch(held -> held.pair().equals(call.pair()) && held.used());
        Optional<Step> byRule = lost ? Optional.empty() : byRule(call, attempt, now);
        return byRule.or(() -> open.map(allowance -> byAllowance(allowance, call.pair(), attempt, now)))
                .orElseGet(() -> is(Said.REFUSED, this));
    }

    private Optional<Step> byRule(Register call, String attempt, Instant now) {
        return switch (policy.rule()) {
            case NEVER -> Optional.empty();
            case ALWAYS -> Optional.of(issued(call.pair(), attempt, "", now));
            case WITH_PROOF -> replacing(call, attempt, now);
            case UNTIL_CONFIRMED -> {
                if (credentials.stream().anyMatch(Held::used)) {
                    yield replacing(call, attempt, now);
                }
                yield good(now, held -> !held.pair().isEmpty()).isPresent()
                        ? Optional.empty()
                        : Optional.of(withCredentials(unusedAreVoid()).issued(call.pair(), attempt, "", now));
            }
        };
    }

    private Optional<Step> replacing(Register call, String attempt, Instant now) {
        return good(now, held -> held.key().equals(call.presented()))
                .map(held -> waitingAreVoid(held.key()).issued(call.pair(), attempt, held.key(), now));
    }

    private Step byAllowance(Permission allowance, String pair, String attempt, Instant now) {
        SerialModel before = withCredentials(unusedAreVoid());
        Step step = before.issued(pair, attempt, EVERY_OTHER, now);
        return new Step(step.said(), step.right(), answer -> {
            SerialModel after = step.after().after(answer);
            return after.withAllowances(each(
                    after.allowances,
                    one -> one.id().equals(allowance.id()),
                    one -> new Permission(one.id(), one.from(), one.to(), answer.name(), one.fate())));
        });
    }

    private Step renewed(Renew call, Instant now) {
        if (!call.pair().isEmpty() && !call.provesPair()) {
            return is(Said.REFUSED, this);
        }
        String attempt = attempt(call.pair(), call.seal());
        Optional<Kept> again = repeated(attempt, now);
        if (again.isPresent()) {
            return repeats(again.get());
        }
        Optional<Held> presented = good(now, held -> held.key().equals(call.presented()));
        if (device.orElseThrow() != Standing.ACTIVE || presented.isEmpty()) {
            return is(Said.CONFLICT, this);
        }
        Optional<Held> same =
                good(now, held -> !call.pair().isEmpty() && held.pair().equals(call.pair()));
        if (same.isPresent()) {
            return same(same.get(), attempt, now);
        }
        if (!call.pair().isEmpty()
                && credentials.stream().anyMatch(held -> held.pair().equals(call.pair()) && held.used())) {
            return is(Said.CONFLICT, this);
        }
        return waitingAreVoid(call.presented()).issued(call.pair(), attempt, call.presented(), now);
    }

    private static String attempt(String pair, String seal) {
        return seal.isEmpty() ? "" : seal + "/" + pair;
    }

    private Optional<Kept> repeated(String attempt, Instant now) {
        return Optional.ofNullable(sealed.get(attempt))
                .filter(kept -> device.equals(Optional.of(Standing.ACTIVE)))
                .filter(kept -> now.isBefore(kept.until()))
                .filter(kept -> good(now, held -> held.key().equals(kept.key()) && !held.used())
                        .isPresent());
    }

    private Step repeats(Kept kept) {
        return new Step(
                Said.ISSUED,
                answer -> answer.name().equals(kept.key()) && answer.text().equals(kept.text()),
                answer -> this);
    }

    /** The device keeps the credential that it has. */
    private Step same(Held held, String attempt, Instant now) {
        return new Step(Said.ISSUED, answer -> answer.name().equals(held.key()), answer -> kept(attempt, answer, now));
    }

    private Step issued(String pair, String attempt, String replaces, Instant now) {
        return new Step(
                Said.ISSUED,
                answer -> credentials.stream().noneMatch(held -> held.key().equals(answer.name())),
                answer -> {
                    List<Held> more = new ArrayList<>(credentials);
                    more.add(new Held(
                            answer.name(),
                            pair,
                            false,
                            false,
                            now,
                            Optional.of(now.plus(policy.unconfirmed())),
                            replaces));
                    return new SerialModel(
                                    policy,
                                    device.or(() -> Optional.of(Standing.ACTIVE)),
                                    List.copyOf(more),
                                    allowances,
                                    sealed)
                            .kept(attempt, answer, now);
                });
    }

    private SerialModel kept(String attempt, Answer answer, Instant now) {
        if (attempt.isEmpty()) {
            return this;
        }
        Map<String, Kept> more = new TreeMap<>(sealed);
        more.put(attempt, new Kept(answer.name(), answer.text(), now.plus(SEALED_FOR)));
        return new SerialModel(policy, device, credentials, allowances, more);
    }

    private Optional<Held> good(Instant now, Predicate<Held> which) {
        return credentials.stream()
                .filter(held -> held.isGood(now))
                .filter(which)
                .findFirst();
    }

    private Optional<Permission> open(Instant now) {
        List<Permission> open =
                allowances.stream().filter(one -> one.permits(now)).toList();
        return open.stream().filter(one -> !one.given().isEmpty()).findFirst().or(() -> open.stream()
                .findFirst());
    }

    private List<Held> unusedAreVoid() {
        return each(credentials, held -> !held.used(), Held::finished);
    }

    /** If several wait to replace one credential, the last one prevails. */
    private SerialModel waitingAreVoid(String key) {
        return withCredentials(
                each(credentials, held -> !held.used() && held.replaces().equals(key), Held::finished));
    }

    // Use

    private Step used(Use use, Instant now) {
        Optional<Held> known = good(now, held -> held.key().equals(use.key()));
        if (known.isEmpty() || !use.right() || !device.equals(Optional.of(Standing.ACTIVE))) {
            return is(Said.NO, this);
        }
        return is(Said.YES, known.get().used() ? this : confirmed(known.get(), now));
    }

    private SerialModel confirmed(Held first, Instant now) {
        List<Held> after = each(credentials, held -> held.key().equals(first.key()), held -> confirmation(held, now));
        Predicate<Held> other = held -> !held.ended() && !held.key().equals(first.key());
        if (first.replaces().equals(EVERY_OTHER)) {
            after = each(after, other, Held::finished);
        } else if (!first.replaces().isEmpty()) {
            after = each(
                    after,
                    other.and(held -> held.key().equals(first.replaces())),
                    held -> policy.overlap().isZero() ? held.finished() : held.endingBy(now.plus(policy.overlap())));
        }
        return withCredentials(after)
                .withAllowances(each(
                        allowances,
                        one -> one.fate() == Fate.OPEN && !now.isBefore(one.from()),
                        one -> one.with(Fate.SPENT)));
    }

    private Held confirmation(Held held, Instant now) {
        return new Held(
                held.key(),
                held.pair(),
                true,
                false,
                held.issued(),
                policy.lifetime().map(now::plus),
                held.replaces());
    }

    // Operators

    private Step revoked(Revoke call, Instant now) {
        if (call.key().isEmpty()) {
            return is(
                    Said.DONE,
                    withCredentials(each(credentials, held -> true, Held::finished))
                            .closed(now));
        }
        return is(
                Said.DONE, withCredentials(each(credentials, held -> held.key().equals(call.key()), Held::finished)));
    }

    private Step became(Standing wanted, Instant now) {
        SerialModel closed = wanted == Standing.RETIRED ? closed(now) : this;
        if (device.orElseThrow() == Standing.RETIRED && wanted != Standing.RETIRED) {
            return is(Said.CONFLICT, this);
        }
        return is(Said.DONE, closed.with(wanted));
    }

    /** A device that is shut out does not come back by an earlier permission. */
    private SerialModel closed(Instant now) {
        return withAllowances(each(
                allowances,
                one -> one.fate() == Fate.OPEN && now.isBefore(one.to()),
                one -> one.with(Fate.TAKEN_BACK)));
    }

    private Step takenBack(String id) {
        Permission meant = allowances.stream()
                .filter(one -> one.id().equals(id))
                .findFirst()
                .orElseThrow();
        if (meant.fate() != Fate.OPEN) {
            return is(Said.CONFLICT, this);
        }
        return is(
                Said.DONE,
                withAllowances(each(allowances, one -> one.id().equals(id), one -> one.with(Fate.TAKEN_BACK)))
                        .withCredentials(each(
                                credentials,
                                held -> held.key().equals(meant.given()) && !held.used(),
                                Held::finished)));
    }

    private static <T> List<T> each(List<T> all, Predicate<T> which, UnaryOperator<T> change) {
        return all.stream()
                .map(one -> which.test(one) ? change.apply(one) : one)
                .toList();
    }

    private SerialModel with(Standing standing) {
        return new SerialModel(policy, Optional.of(standing), credentials, allowances, sealed);
    }

    private SerialModel withCredentials(List<Held> changed) {
        return new SerialModel(policy, device, changed, allowances, sealed);
    }

    private SerialModel withAllowances(List<Permission> changed) {
        return new SerialModel(policy, device, credentials, changed, sealed);
    }
}
