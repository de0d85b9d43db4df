package io.muster.verification;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import io.muster.config.MusterConfig;
import io.muster.device.Storable;
import io.muster.json.Json;
import io.muster.problem.RareLog;
import io.muster.spi.Candidate;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a fleet's verifiers decide together. In full: (1) they are asked in order; (2) <em>refused</em> is final, whoever says
 * it; (3) a verifier that could not find out ends the questioning, unless it is configured to be skipped; (4) enough
 * <em>genuine</em> answers admit, and end the questioning; (5) the end of the list without enough of them refuses. Thread-safe.
 */
public final class VerifierPolicy implements Prover {

    private static final Logger LOG = LoggerFactory.getLogger(VerifierPolicy.class);
    private static final RareLog RARE = RareLog.of(VerifierPolicy.class);

    /**
     * What a fleet says of its verifiers.
     *
     * @param verifiers their names in the order they are asked; at least one
     * @param required how many of them must say genuine; from 1 to as many as there are
     * @param onUnavailable what it means for this fleet that one of them cannot find out; where nothing is said, the verifier's
     *     own configuration holds
     * @param shadow the names of verifiers that are asked off the critical path, and decide nothing
     * @param timeBudget how long the whole questioning may take
     * @param cache how long answers of verifiers that ask somebody else are remembered; empty for not at all
     */
    public record Rules(
            List<String> verifiers,
            int required,
            Map<String, MusterConfig.OnUnavailable> onUnavailable,
            List<String> shadow,
            Duration timeBudget,
            Optional<Remember> cache) {

        /** The time budget of a fleet that names none. */
        public static final Duration TIME_BUDGET = Duration.ofSeconds(5);

        /** Copies the collections. */
        public Rules {
            verifiers = List.copyOf(verifiers);
            onUnavailable = Map.copyOf(onUnavailable);
            shadow = List.copyOf(shadow);
        }

        /** Asks in this order, with no shadow and no cache. */
        public static Rules of(List<String> verifiers, int required) {
            return new Rules(verifiers, required, Map.of(), List.of(), TIME_BUDGET, Optional.empty());
        }
    }

    /**
     * How long answers are remembered, on this node.
     *
     * @param genuine life of <em>genuine</em>; zero for not at all
     * @param refused life of <em>refused</em>; zero for not at all
     * @param size how many answers at most
     */
    public record Remember(Duration genuine, Duration refused, int size) {}

    /**
     * A verifier of the fleet.
     *
     * @param name its name
     * @param skipWhenUnavailable whether the next one is asked when it could not find out
     */
    public record Step(String name, SerialVerifier verifier, boolean skipWhenUnavailable) {}

    /**
     * What a verifier of the fleet says when an operator asks.
     *
     * @param verifier its name
     * @param shadow whether it decides nothing
     * @param verdict {@code genuine}, {@code refused}, {@code unknown} or {@code unavailable}
     * @param reason why, where it is refused or unavailable; else empty
     * @param took how long it took
     * @param known what it knows, where it is genuine; else empty
     */
    public record Answer(
            String verifier,
            boolean shadow,
            String verdict,
            String reason,
            Duration took,
            Optional<Verdict.Genuine> known) {}

    /**
     * What would be decided.
     *
     * @param answers of every verifier, also of those that a registration would not have asked any more
     * @param decision {@code genuine}, {@code refused} or {@code unavailable}
     * @param rule the number of the rule that decides, 2 to 5
     * @param reason why
     * @param uses what an admission would use up
     */
    public record Explanation(List<Answer> answers, String decision, int rule, String reason, List<Use> uses) {}

    /**
     * What was decided.
     *
     * @param proof as of {@link #prove}
     * @param complete whether every verifier was asked just now, so that the time it took tells nothing of who refused
     */
    public record Decided(Proof proof, boolean complete) {}

    /** Asks one verifier, and waits no longer than that. */
    private interface Question {
        Proof ask(Step step, Duration left);
    }

    private final List<Step> steps;
    private final List<Step> shadows;
    private final Rules rules;
    private final Function<String, Executor> aside;
    private final LongSupplier nanos;
    private final RefusalTimes refusals = new RefusalTimes();
    private final Optional<Cache<String, Verdict>> remembered;

    /**
     * Asks in the order of the steps until so many of them said genuine; at least one must. Remembers nothing, and has no
     * shadows.
     */
    VerifierPolicy(List<Step> steps, int required) {
        this(
                steps,
                List.of(),
                Rules.of(steps.stream().map(Step::name).toList(), required),
                shadow -> Runnable::run,
                Clock.fixed(Instant.EPOCH, ZoneOffset.UTC),
                System::nanoTime);
    }

    /**
     * Decides by the rules.
     *
     * @param steps the verifiers that the rules name, in their order
     * @param shadows those of the rules' shadow list
     * @param aside what runs the shadow of a name; may reject it
     * @param clock tells how old a remembered answer is
     * @param nanos tells how much of the time budget has passed
     */
    VerifierPolicy(
            List<Step> steps,
            List<Step> shadows,
            Rules rules,
            Function<String, Executor> aside,
            Clock clock,
            LongSupplier nanos) {
        if (rules.required() < 1) {
            throw new IllegalArgumentException("at least one verifier must say genuine");
        }
        this.steps = List.copyOf(steps);
        this.shadows = List.copyOf(shadows);
        this.rules = rules;
        this.aside = aside;
        this.nanos = nanos;
        this.remembered = rules.cache().map(life -> memory(life, clock));
    }

    private static Cache<String, Verdict> memory(Remember life, Clock clock) {
        return Caffeine.newBuilder()
                .maximumSize(life.size())
                .ticker(() -> TimeUnit.MILLISECONDS.toNanos(clock.millis()))
                .expireAfter(Expiry.<String, Verdict>writing(
                        (question, verdict) -> verdict instanceof Verdict.Genuine ? life.genuine() : life.refused()))
                .build();
    }

    /**
     * Decides.
     *
     * @return genuine with everything the verifiers that said so know and use up, or refused with the reason; never unknown
     * @throws VerificationUnavailableException if a verifier that may not be skipped could not find out, or the time budget is
     *     used up
     */
    @Override
    public Proof prove(Candidate candidate) {
        return decide(candidate).proof();
    }

    /** Decides as {@link #prove} does, and tells whether everybody was asked for it. */
    public Decided decide(Candidate candidate) {
        int[] asked = {0};
        Decision decision = decide((step, left) -> remember(step, candidate, () -> {
            asked[0]++;
            return checked(step, candidate, left);
        }));
        return new Decided(decision.proof(), asked[0] == steps.size());
    }

    /** The five rules and the time budget, whoever wants to know. */
    private Decision decide(Question question) {
        long deadline = nanos.getAsLong() + rules.timeBudget().toNanos();
        Decision decision = new Decision();
        for (Step step : steps) {
            Duration left = Duration.ofNanos(deadline - nanos.getAsLong());
            if (left.isNegative() || left.isZero()) {
                // Whatever may be skipped: who was not asked has not answered.
                decision.budgetUsedUp();
                break;
            }
            try {
                decision.take(step, question.ask(step, left));
            } catch (VerificationUnavailableException e) {
                decision.unavailable(step, e);
            }
            if (decision.unavailable.isEmpty() && nanos.getAsLong() - deadline >= 0) {
                // Whatever may be skipped, and whatever was said: an answer that came too late admits nobody.
                decision.budgetUsedUp();
            }
            if (decision.isMade()) {
                break;
            }
        }
        return decision;
    }

    /**
     * Returns how long a refusal must take at least, so that it does not tell by its time that not everybody was asked.
     *
     * @param complete whether everybody was asked for it
     * @param took how long it took so far
     */
    public Duration leastRefusal(boolean complete, Duration took) {
        return leastRefusal(complete, took, ThreadLocalRandom.current()::nextInt);
    }

    Duration leastRefusal(boolean complete, Duration took, IntUnaryOperator chance) {
        if (complete) {
            refusals.add(took);
            return took;
        }
        Duration least = refusals.any(chance).orElse(took);
        return least.compareTo(rules.timeBudget()) < 0 ? least : rules.timeBudget();
    }

    /** Asks the shadows, on another thread, and reports every one that says otherwise than was decided. */
    public void shadow(Candidate candidate, Verdict decided, BiConsumer<String, String> disagreement) {
        for (Step step : shadows) {
            try {
                aside.apply(step.name()).execute(() -> compare(step, candidate, decided, disagreement));
            } catch (RejectedExecutionException e) {
                LOG.debug("Too much to do for shadow {}", step.name());
            }
        }
    }

    private void compare(Step step, Candidate candidate, Verdict decided, BiConsumer<String, String> disagreement) {
        Verdict verdict;
        try {
            verdict = checked(step, candidate, rules.timeBudget()).verdict();
        } catch (VerificationUnavailableException e) {
            RARE.info("shadow " + step.name(), "Shadow {} could not find out: {}", step.name(), e.getMessage());
            return;
        }
        boolean admitted = decided instanceof Verdict.Genuine;
        if (admitted != verdict instanceof Verdict.Genuine) {
            disagreement.accept(
                    step.name(),
                    "says " + word(verdict) + (verdict instanceof Verdict.Refused no ? " (" + no.reason() + ")" : "")
                            + ", decided was " + word(decided));
        }
    }

    /** Asks every verifier now, remembered answers aside, and tells what would be decided and why. Changes nothing. */
    public Explanation explain(Candidate candidate) {
        List<Answer> answers = new ArrayList<>();
        Decision decision = decide((step, left) -> answered(step, false, candidate, left, answers));
        // Who is asked after the decision has all the time there is: what it says is information.
        List<Step> others = steps.subList(answers.size(), steps.size());
        others.forEach(step -> inform(step, false, candidate, answers));
        shadows.forEach(step -> inform(step, true, candidate, answers));
        try {
            Proof proof = decision.proof();
            return new Explanation(
                    answers,
                    word(proof.verdict()),
                    decision.rule,
                    proof.verdict() instanceof Verdict.Refused no
                            ? no.reason()
                            : decision.known.count + " of " + rules.required() + " required verifiers call it genuine",
                    proof.uses());
        } catch (VerificationUnavailableException e) {
            return new Explanation(answers, "unavailable", decision.rule, e.getMessage(), List.of());
        }
    }

    private void inform(Step step, boolean shadow, Candidate candidate, List<Answer> answers) {
        try {
            answered(step, shadow, candidate, rules.timeBudget(), answers);
        } catch (VerificationUnavailableException e) {
            LOG.debug("Verifier {} could not find out", step.name());
        }
    }

    private Proof answered(Step step, boolean shadow, Candidate candidate, Duration left, List<Answer> answers) {
        long started = nanos.getAsLong();
        try {
            Proof proof = checked(step, candidate, left);
            answers.add(answer(step, shadow, proof.verdict(), started));
            return proof;
        } catch (VerificationUnavailableException e) {
            answers.add(unavailable(step, shadow, e, started));
            throw e;
        }
    }

    private Answer answer(Step step, boolean shadow, Verdict verdict, long started) {
        return new Answer(
                step.name(),
                shadow,
                word(verdict),
                verdict instanceof Verdict.Refused no ? no.reason() : "",
                Duration.ofNanos(nanos.getAsLong() - started),
                verdict instanceof Verdict.Genuine genuine ? Optional.of(genuine) : Optional.empty());
    }

    private Answer unavailable(Step step, boolean shadow, VerificationUnavailableException e, long started) {
        return new Answer(
                step.name(),
                shadow,
                "unavailable",
                e.getMessage(),
                Duration.ofNanos(nanos.getAsLong() - started),
                Optional.empty());
    }

    private static String word(Verdict verdict) {
        if (verdict instanceof Verdict.Genuine) {
            return "genuine";
        }
        return verdict instanceof Verdict.Refused ? "refused" : "unknown";
    }

    private Proof remember(Step step, Candidate candidate, Supplier<Proof> ask) {
        // Only what somebody else was asked for: a proof that is used up must be looked at every time.
        if (remembered.isEmpty()
                || !(step.verifier() instanceof BoundedVerifier bounded)
                || bounded.verifier() instanceof Prover) {
            return ask.get();
        }
        String question = question(step, candidate);
        Verdict known = remembered.get().getIfPresent(question);
        if (known != null) {
            return Proof.of(known);
        }
        Proof proof = ask.get();
        if (!(proof.verdict() instanceof Verdict.Unknown)) {
            remembered.get().put(question, proof.verdict());
        }
        return proof;
    }

    /** Everything the verifier may look at, hashed, because evidence may be secret. */
    private static String question(Step step, Candidate candidate) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            Map<String, Object> asked = new TreeMap<>();
            asked.put("serial", candidate.serial().value());
            asked.put("evidence", candidate.evidence());
            asked.put("publicKey", candidate.publicKey().orElse(Map.of()));
            asked.put("origin", candidate.origin());
            digest.update(step.name().getBytes(StandardCharsets.UTF_8));
            digest.update(Json.bytes(asked));
            for (X509Certificate certificate : candidate.clientCertificates()) {
                digest.update(certificate.getEncoded());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        } catch (CertificateEncodingException e) {
            throw new VerificationUnavailableException("a client certificate that cannot be encoded", e);
        }
    }

    /** Asks one verifier, and lets nothing through that is not a bounded verdict. */
    private static Proof checked(Step step, Candidate candidate, Duration left) {
        Proof proof;
        try {
            proof = step.verifier() instanceof BoundedVerifier bounded
                    ? bounded.prove(candidate, left)
                    : ask(step.verifier(), candidate);
        } catch (VerificationUnavailableException e) {
            String who = "verifier " + step.name() + ": ";
            String said = String.valueOf(e.getMessage());
            // Some name themselves.
            throw new VerificationUnavailableException(said.startsWith(who) ? said : who + said, e);
        } catch (RuntimeException | StackOverflowError e) {
            String failure = e instanceof BoundedVerifier.VerifierFailure
                    ? e.getMessage()
                    : e.getClass().getName();
            // A defect of the verifier proves nothing about the serial. Its message may say anything, so it is not
            // repeated.
            RARE.error("failed " + step.name(), "Verifier {} failed with {}", step.name(), failure);
            throw new VerificationUnavailableException("verifier " + step.name() + " failed with " + failure);
        }
        if (proof == null || proof.verdict() == null) {
            throw new VerificationUnavailableException("verifier " + step.name() + " answered null");
        }
        if (proof.verdict() instanceof Verdict.Genuine genuine) {
            Storable.fault(genuine).ifPresent(fault -> {
                throw new VerificationUnavailableException(
                        "verifier " + step.name() + " knows something of the device that cannot be stored: " + fault);
            });
        }
        return proof;
    }

    static Proof ask(SerialVerifier verifier, Candidate candidate) {
        return verifier instanceof Prover prover ? prover.prove(candidate) : Proof.of(verifier.verify(candidate));
    }

    /** The five rules. */
    private final class Decision {

        private final Known known = new Known();
        private Optional<Verdict> verdict = Optional.empty();
        private Optional<VerificationUnavailableException> unavailable = Optional.empty();
        private int rule = 5;

        void take(Step step, Proof proof) {
            if (proof.verdict() instanceof Verdict.Refused refused) {
                rule = 2;
                verdict = Optional.of(Verdict.refused(step.name() + ": " + refused.reason()));
            } else if (proof.verdict() instanceof Verdict.Genuine genuine
                    && known.add(step.verifier(), genuine, proof.uses()) == rules.required()) {
                Optional<String> fault = Storable.fault(known.verdict());
                if (fault.isPresent()) {
                    end("the verifiers together know something of the device that cannot be stored: " + fault.get());
                } else {
                    rule = 4;
                    verdict = Optional.of(known.verdict());
                }
            }
        }

        void unavailable(Step step, VerificationUnavailableException e) {
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

        /** Whoever may be skipped. */
        private void end(String why) {
            rule = 3;
            unavailable = Optional.of(new VerificationUnavailableException(why));
        }

        boolean isMade() {
            return verdict.isPresent() || unavailable.isPresent();
        }

        Proof proof() {
            if (unavailable.isPresent()) {
                throw unavailable.get();
            }
            Verdict made = verdict.orElseGet(() -> Verdict.refused(
                    known.count == 0
                            ? "no verifier calls it genuine"
                            : "only " + known.count + " of " + rules.required() + " verifiers call it genuine"));
            return made instanceof Verdict.Genuine ? new Proof(made, List.copyOf(known.uses)) : Proof.of(made);
        }
    }

    /** What the verifiers know together; the first in the fleet's order holds, and of a tag of the registry's own whose it is. */
    private static final class Known {

        private int count;
        private Optional<String> name = Optional.empty();
        private final List<Use> uses = new ArrayList<>();
        private final Map<String, String> tags = new HashMap<>();
        private final Map<String, Object> attributes = new HashMap<>();
        private final Set<String> owned = new HashSet<>();

        int add(SerialVerifier verifier, Verdict.Genuine genuine, List<Use> using) {
            uses.addAll(using);
            name = name.or(genuine::name);
            genuine.tags().forEach(tags::putIfAbsent);
            if (verifier instanceof Tagging tagging) {
                String own = tagging.ownTag();
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
