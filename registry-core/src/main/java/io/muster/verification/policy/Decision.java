// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.policy;

import io.muster.device.Storable;
import io.muster.log.RareLog;
import io.muster.once.Use;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.user.User;
import io.muster.verification.Proof;
import io.muster.verification.TagWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Derives the decision from the answers of one questioning, by the six rules of {@link VerifierPolicy}. Not
 * thread-safe.
 */
final class Decision {

    private static final RareLog RARE = RareLog.of(VerifierPolicy.class);

    private final Rules rules;

    private final Findings findings = new Findings();
    private final List<Said> said = new ArrayList<>();
    private final List<Verdict.Pending> pending = new ArrayList<>();
    private final List<Use> awaited = new ArrayList<>();
    private Optional<Verdict> verdict = Optional.empty();
    private Optional<VerificationUnavailableException> unavailable = Optional.empty();
    private int rule = 5;

    Decision(Rules rules) {
        this.rules = rules;
    }

    void take(Step step, Proof proof) {
        said.add(Said.of(step, proof.verdict()));
        if (proof.verdict() instanceof Verdict.Pending later) {
            pending.add(later);
            awaited.addAll(proof.uses());
        } else if (proof.verdict() instanceof Verdict.Refused refused) {
            rule = 2;
            verdict = Optional.of(Verdict.refused(step.name() + ": " + refused.reason()));
        } else if (proof.verdict() instanceof Verdict.Genuine && findings.isOfAnother(proof.owner())) {
            rule = 2;
            verdict = Optional.of(Verdict.refused(step.name() + ": it names another user than a verifier before it"));
        } else if (proof.verdict() instanceof Verdict.Genuine genuine
                && findings.add(step.verifier(), genuine, proof) == rules.required()) {
            Optional<String> fault = Storable.fault(findings.name, findings.tags, findings.attributes);
            if (fault.isPresent()) {
                end("the verifiers together know something of the device that cannot be stored: " + fault.get());
            } else {
                rule = 4;
                verdict = Optional.of(findings.verdict());
            }
        }
    }

    void unavailable(Step step, VerificationUnavailableException e) {
        said.add(Said.unavailable(step, e.getMessage()));
        if (step.skipWhenUnavailable()) {
            RARE.warn(
                    "skipped " + step.name(),
                    "Verifier {} could not find out and is skipped: {}",
                    step.name(),
                    e.getMessage());
        } else {
            rule = 3;
            unavailable = Optional.of(e);
        }
    }

    void budgetUsedUp() {
        end("the time budget of " + rules.timeBudget() + " is used up");
    }

    /** Ends the questioning as unavailable, even if the verifier may be skipped. */
    private void end(String why) {
        rule = 3;
        unavailable = Optional.of(new VerificationUnavailableException(why));
    }

    /** Returns the number of the rule that decides. */
    int rule() {
        return !isMade() && waits() ? 6 : rule;
    }

    /** Returns the answers so far, in the order of the questions. */
    List<Said> said() {
        return List.copyOf(said);
    }

    /** Tells whether there would be enough genuine answers if every pending one were genuine. */
    private boolean waits() {
        return !pending.isEmpty() && findings.count + pending.size() >= rules.required();
    }

    /** Returns the time after which enough verifiers may have made up their minds, as far as they named one. */
    private Optional<Duration> wait(int missing) {
        List<Duration> times = pending.stream()
                .flatMap(later -> later.retryAfter().stream())
                .sorted()
                .toList();
        return times.isEmpty() ? Optional.empty() : Optional.of(times.get(Math.min(missing, times.size()) - 1));
    }

    /** Says how many verifiers called the serial genuine, and how many are not ready. */
    String inWords() {
        return findings.count + " of " + rules.required() + " required verifiers call it genuine"
                + (rule() == 6 ? ", " + pending.size() + " pending" : "");
    }

    boolean isUnavailable() {
        return unavailable.isPresent();
    }

    boolean isMade() {
        return verdict.isPresent() || unavailable.isPresent();
    }

    Proof proof() {
        if (unavailable.isPresent()) {
            throw unavailable.get();
        }
        if (verdict.isEmpty() && waits()) {
            return new Proof(new Verdict.Pending(wait(rules.required() - findings.count)), List.copyOf(awaited));
        }
        Verdict made = verdict.orElseGet(() -> Verdict.refused(
                findings.count == 0
                        ? "no verifier calls it genuine"
                        : "only " + findings.count + " of " + rules.required() + " verifiers call it genuine"));
        return made instanceof Verdict.Genuine
                ? new Proof(made, List.copyOf(findings.uses), findings.owner)
                : Proof.of(made);
    }

    /**
     * The combined knowledge of the verifiers; the first in the fleet's order prevails. For a tag of the registry's
     * own, it also knows which verifier it is from.
     */
    private static final class Findings {

        private int count;
        private Optional<String> name = Optional.empty();
        private Optional<User> owner = Optional.empty();
        private final List<Use> uses = new ArrayList<>();
        private final Map<String, String> tags = new HashMap<>();
        private final Map<String, Object> attributes = new HashMap<>();
        private final Set<String> owned = new HashSet<>();

        /** Tells whether somebody else is the owner already. */
        boolean isOfAnother(Optional<User> user) {
            return owner.isPresent()
                    && user.filter(other -> !other.isSameAs(owner.get())).isPresent();
        }

        int add(SerialVerifier verifier, Verdict.Genuine genuine, Proof proof) {
            uses.addAll(proof.uses());
            owner = owner.or(proof::owner);
            name = name.or(genuine::name);
            genuine.tags().forEach(tags::putIfAbsent);
            if (verifier instanceof TagWriter writer) {
                String own = writer.ownTag();
                Optional.ofNullable(genuine.tags().get(own))
                        .filter(text -> owned.add(own))
                        .ifPresent(text -> tags.put(own, text));
            }
            genuine.attributes().forEach(attributes::putIfAbsent);
            return ++count;
        }

        Verdict.Genuine verdict() {
            return new Verdict.Genuine(name, tags, attributes);
        }
    }
}
