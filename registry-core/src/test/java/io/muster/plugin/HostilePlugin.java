// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import java.util.List;

/**
 * A verifier {@code hostile} that does what its serial says: everything that a plug-in can do to the code that looks at
 * its answer.
 */
public final class HostilePlugin {

    /** Serials without an answer in time, or with one that the registry cannot copy. */
    public static final List<String> UNAVAILABLE = List.of(
            "HANGS",
            "NUMBER-HANGS",
            "NUMBER-ERROR",
            "NUMBER-LONG",
            "NUMBER-1E400",
            "NUMBER-HUGE",
            "MESSAGE-HANGS",
            "MESSAGE-ERROR",
            "MESSAGE-LONG",
            "CAUSE-ENDLESS",
            "THROWABLE-HANGS",
            "THROWABLE-ERROR",
            "MAP-ENDLESS",
            "MAP-LIES",
            "MAP-HANGS",
            "KEY-HANGS",
            "KEY-NO-TEXT",
            "TAG-NO-TEXT",
            "TAG-LONG",
            "NAME-NO-TEXT",
            "NAME-LONG",
            "MILLION",
            "INTERRUPT-HANGS",
            "NULL");

    private static final String MEMBERS =
            """
            static final List<Object> KEPT = new ArrayList<>();

            static RuntimeException hang() {
                while (true) {
                    try {
                        Thread.sleep(60_000);
                    } catch (InterruptedException e) {
                        continue;
                    }
                }
            }

            static class Odd extends Number {
                final java.util.function.Supplier<String> text;
                Odd(java.util.function.Supplier<String> text) { this.text = text; }
                public int intValue() { throw hang(); }
                public long longValue() { throw hang(); }
                public float floatValue() { throw hang(); }
                public double doubleValue() { throw hang(); }
                public String toString() { return text.get(); }
            }

            static class Key {
                public int hashCode() { throw hang(); }
                public boolean equals(Object other) { throw hang(); }
                public String toString() { throw hang(); }
            }

            static class Unavailable extends VerificationUnavailableException {
                final java.util.function.Supplier<String> text;
                Unavailable(java.util.function.Supplier<String> text) { super("x"); this.text = text; }
                public String getMessage() { return text.get(); }
                public String toString() { throw hang(); }
                public StackTraceElement[] getStackTrace() { throw hang(); }
            }

            static class Endless extends Unavailable {
                Endless() { super(() -> "m"); }
                public synchronized Throwable getCause() { return new Endless(); }
            }

            static class Thrown extends Error {
                final RuntimeException instead;
                Thrown(RuntimeException instead) { this.instead = instead; }
                private RuntimeException odd() { if (instead == null) { hang(); } return instead; }
                public String getMessage() { throw odd(); }
                public String toString() { throw odd(); }
                public synchronized Throwable getCause() { throw odd(); }
                public StackTraceElement[] getStackTrace() { throw odd(); }
                public int hashCode() { throw odd(); }
            }

            static <V> Map<String, V> map(int size, Iterator<Map.Entry<String, V>> entries) {
                return new AbstractMap<>() {
                    public int size() { return size; }
                    public Set<Map.Entry<String, V>> entrySet() {
                        return new AbstractSet<>() {
                            public int size() { return size; }
                            public Iterator<Map.Entry<String, V>> iterator() { return entries; }
                        };
                    }
                };
            }

            static Iterator<Map.Entry<String, Object>> endless() {
                return new Iterator<>() {
                    long next;
                    public boolean hasNext() { return true; }
                    public Map.Entry<String, Object> next() { return Map.entry("a" + next++, "x"); }
                };
            }

            static Verdict tags(Map<String, String> tags) {
                return new Verdict.Genuine(Optional.empty(), tags, Map.of());
            }

            static Verdict name(Object name) {
                Optional<String> typed = (Optional<String>) (Optional) Optional.of(name);
                return new Verdict.Genuine(typed, Map.of(), Map.of());
            }

            static Verdict channel() throws Exception {
                var channel = new java.nio.channels.spi.AbstractInterruptibleChannel() {
                    protected void implCloseChannel() { hang(); }
                    void waitHere() { begin(); hang(); }
                };
                channel.waitHere();
                return null;
            }

            public Verdict verify(Candidate candidate) {
                try {
                    return answer(candidate);
                } catch (RuntimeException | Error e) {
                    throw e;
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }

            Verdict answer(Candidate candidate) throws Exception {
                switch (candidate.serial().value()) {
                    case "HANGS": throw hang();
                    case "NUMBER-HANGS": return Verdict.genuine(Map.of("a", new Odd(() -> { throw hang(); })));
                    case "NUMBER-ERROR": return Verdict.genuine(Map.of("a", new Odd(() -> { throw new Error("boom"); })));
                    case "NUMBER-LONG": return Verdict.genuine(Map.of("a", new Odd(() -> "1".repeat(10_000_000))));
                    case "NUMBER-1E400": return Verdict.genuine(Map.of("a", new java.math.BigDecimal("1e400")));
                    case "NUMBER-HUGE":
                        return Verdict.genuine(Map.of("a", java.math.BigInteger.ONE.shiftLeft(100_000_000)));
                    case "NUMBER-ODD": return Verdict.genuine(Map.of("a", new Odd(() -> "12.50")));
                    case "MESSAGE-HANGS": throw new Unavailable(() -> { throw hang(); });
                    case "MESSAGE-ERROR": throw new Unavailable(() -> { throw new Error("boom"); });
                    case "MESSAGE-LONG": throw new Unavailable(() -> "m".repeat(20_000_000));
                    case "CAUSE-ENDLESS": throw new Endless();
                    case "THROWABLE-HANGS": throw new Thrown(null);
                    case "THROWABLE-ERROR": throw new Thrown(new IllegalStateException("boom"));
                    case "MAP-ENDLESS": return Verdict.genuine(map(3, endless()));
                    case "MAP-LIES": return Verdict.genuine(map(Integer.MIN_VALUE, endless()));
                    case "MAP-HANGS":
                        return Verdict.genuine(map(1, new Iterator<Map.Entry<String, Object>>() {
                            public boolean hasNext() { throw hang(); }
                            public Map.Entry<String, Object> next() { throw hang(); }
                        }));
                    case "KEY-HANGS": return Verdict.genuine((Map) Map.of("b", "x", new Key() {
                            public int hashCode() { return 1; }
                            public boolean equals(Object other) { return true; }
                        }, "x"));
                    case "KEY-NO-TEXT": return Verdict.genuine((Map) Map.of(5, "x"));
                    case "TAG-NO-TEXT": return tags((Map) Map.of("t", 5));
                    case "TAG-LONG": return tags(Map.of("t", "x".repeat(20_000_000)));
                    case "NAME-NO-TEXT": return name(new Key());
                    case "NAME-LONG": return name(" ".repeat(20_000_000));
                    case "MILLION": return Verdict.genuine(map(1_000_000, endless()));
                    case "REASON-LONG": return Verdict.refused("r".repeat(20_000_000));
                    case "INTERRUPT-HANGS": return channel();
                    case "NULL": return null;
                    case "EVIDENCE":
                        ((List) ((Map) candidate.evidence().get("a")).get("b")).add(new Key());
                        return Verdict.unknown();
                    case "FILLS-THE-HEAP":
                        while (true) { KEPT.add(new byte[1_000_000]); }
                    case "EXITS":
                        System.exit(7);
                        return null;
                    case "LEAVES-THREADS":
                        for (int i = 0; i < 3; i++) {
                            Thread left = new Thread(() -> hang(), "left-" + i);
                            left.setDaemon(true);
                            left.start();
                        }
                        return Verdict.genuine();
                    default: return Verdict.genuine();
                }
            }
            """;

    private HostilePlugin() {}

    /** Returns it, not written yet. */
    public static PluginJar jar() {
        return new PluginJar().verifier("hostile", MEMBERS);
    }
}
