// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.DoubleAccumulator;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiFunction;

/**
 * Copies the results and exceptions of others' code into JDK values of bounded size. Every method may run that code,
 * which may hang or throw anything. So they are called in {@link BoundedCalls}, and nothing else looks at the result
 * itself.
 */
public final class OwnValues {

    /** How many characters a text may have. */
    public static final int MOST_CHARACTERS = 10_000;

    private static final int MOST_OF_A_MESSAGE = 500;
    private static final int MOST_OF_A_NAME = 200;
    private static final int MOST_DIGITS = 1_000;
    private static final int MOST_FRAMES = 100;
    private static final int MOST_CAUSES = 10;

    private OwnValues() {}

    /** A result that cannot be copied. The message says why and repeats nothing of it. */
    public static final class NotOwnException extends RuntimeException {

        private static final long serialVersionUID = 1;

        NotOwnException(String message) {
            super(message, null, false, false);
        }
    }

    /** Returns the text, cut after this many characters. */
    public static String cut(String text, int most) {
        return text.length() <= most ? text : text.substring(0, most) + "...";
    }

    /** Returns the message of an exception, cut to 500 characters; {@code null} as text if it has none. */
    public static String message(Throwable thrown) {
        return cut(String.valueOf(thrown.getMessage()), MOST_OF_A_MESSAGE);
    }

    /** Returns the name of the class of an exception. Runs no code of others. */
    public static String className(Throwable thrown) {
        return cut(thrown.getClass().getName(), MOST_OF_A_NAME);
    }

    /** Returns the stack trace of an exception, if possible. */
    static StackTraceElement[] stackTrace(Throwable thrown) {
        try {
            StackTraceElement[] trace = thrown.getStackTrace();
            return Arrays.copyOf(trace, Math.min(MOST_FRAMES, trace.length), StackTraceElement[].class);
        } catch (Throwable e) {
            return new StackTraceElement[0];
        }
    }

    /**
     * Returns a copy of a map of texts.
     *
     * @param what names it in the message
     * @param most how many members it may have
     * @throws NotOwnException if it has more, or a name or a value that is no text or too long
     */
    public static Map<String, String> texts(String what, Map<?, ?> map, int most) {
        return members(what, map, most, OwnValues::text);
    }

    /**
     * Returns a copy of a map of texts, numbers and booleans.
     *
     * @param what names it in the message
     * @param most how many members it may have
     * @throws NotOwnException if it has more, or a name or a value that is none of these or too long
     */
    public static Map<String, Object> values(String what, Map<?, ?> map, int most) {
        return members(what, map, most, OwnValues::value);
    }

    /**
     * Returns a copy of a set of texts.
     *
     * @param what names it in the message
     * @param most how many there may be
     * @throws NotOwnException if there are more, or one is no text or too long
     */
    static Set<String> names(String what, Iterable<?> names, int most) {
        Set<String> own = new TreeSet<>();
        int count = 0;
        for (Object name : names) {
            if (count++ == most) {
                throw new NotOwnException(what + " has more than " + most + " members");
            }
            own.add(text("a name in " + what, name));
        }
        return Set.copyOf(own);
    }

    private static <V> Map<String, V> members(
            String what, Map<?, ?> map, int most, BiFunction<String, Object, V> convert) {
        if (map.size() > most) {
            throw new NotOwnException(what + " has more than " + most + " members");
        }
        Map<String, V> own = new LinkedHashMap<>();
        Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
        // Do not trust its size: it may iterate over more.
        for (int count = 0; entries.hasNext(); count++) {
            if (count == most) {
                throw new NotOwnException(what + " has more than " + most + " members");
            }
            Map.Entry<?, ?> entry = entries.next();
            String name = text("a name in " + what, entry.getKey());
            // The name may be anything, so it is repeated only if it could be a member's.
            boolean plain = name.matches("[A-Za-z0-9_.:-]{1,64}");
            own.put(name, convert.apply(plain ? what + "." + name : "a value in " + what, entry.getValue()));
        }
        return Map.copyOf(own);
    }

    /**
     * Returns a value that claims to be a text.
     *
     * @param what names it in the message
     * @throws NotOwnException if it is none, or too long
     */
    public static String text(String what, Object value) {
        if (!(value instanceof String text)) {
            throw new NotOwnException(what + " is not a text");
        }
        if (text.length() > MOST_CHARACTERS) {
            throw new NotOwnException(what + " is longer than " + MOST_CHARACTERS + " characters");
        }
        return text;
    }

    private static Object value(String what, Object value) {
        if (value instanceof Boolean) {
            return value;
        }
        return value instanceof Number number ? number(what, number) : text(what, value);
    }

    /** Returns a number of the JDK's as it is, and converts a number of another class from its text. */
    private static Number number(String what, Number number) {
        Class<?> type = number.getClass();
        if (type == Integer.class
                || type == Long.class
                || type == Short.class
                || type == Byte.class
                || type == Double.class
                || type == Float.class
                || type == BigInteger.class
                || type == BigDecimal.class) {
            return number;
        }
        if (type == AtomicInteger.class
                || type == AtomicLong.class
                || type == LongAdder.class
                || type == LongAccumulator.class) {
            return number.longValue();
        }
        if (type == DoubleAdder.class || type == DoubleAccumulator.class) {
            return number.doubleValue();
        }
        String text = String.valueOf(number);
        if (text.length() > MOST_DIGITS) {
            throw new NotOwnException(what + " is a number that is too long");
        }
        try {
            return new BigDecimal(text);
        } catch (NumberFormatException e) {
            throw new NotOwnException(what + " is not a finite number");
        }
    }

    /** Describes what kept a class from being used. */
    static String reason(Throwable thrown) {
        String said =
                thrown.getMessage() == null ? "" : message(thrown).replaceFirst("^io\\.muster\\.spi\\.\\w+: ", "");
        if (thrown instanceof UnsupportedClassVersionError) {
            return "it was compiled for a newer Java: " + said;
        }
        if (thrown instanceof NoClassDefFoundError && thrown.getCause() instanceof ClassNotFoundException) {
            return "it needs the class " + said.replace('/', '.') + ", which "
                    + (said.startsWith("io/muster/")
                            ? "this Muster does not have: it was made for another version"
                            : "is not in the jar");
        }
        String kind = thrown instanceof ServiceConfigurationError
                ? ""
                : OwnValues.simpleName(thrown) + (said.isEmpty() ? "" : ": ");
        return kind + said + causes(thrown.getCause());
    }

    private static String simpleName(Throwable thrown) {
        String name = className(thrown);
        return name.substring(name.lastIndexOf('.') + 1);
    }

    /**
     * Returns the first informative cause. The exception of a failed class initialiser, or of a constructor called by
     * reflection, only says that there was another.
     */
    private static String causes(Throwable first) {
        Throwable cause = first;
        for (int depth = 0; cause != null && depth < MOST_CAUSES; depth++) {
            boolean wrapper = cause instanceof ExceptionInInitializerError
                    || cause instanceof java.lang.reflect.InvocationTargetException;
            if (!wrapper || cause.getCause() == null) {
                break;
            }
            cause = cause.getCause();
        }
        if (cause == null) {
            return "";
        }
        String within = cause == first ? "" : OwnValues.className(first) + ", caused by ";
        String said = cause.getMessage() == null ? "" : ": " + message(cause);
        return " (" + within + className(cause) + said + ")";
    }
}
