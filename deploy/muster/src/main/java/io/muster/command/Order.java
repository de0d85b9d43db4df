// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import io.muster.command.Input.Form;
import io.muster.command.Input.Place;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One command of the table: its words, its request, and how its answer is shown. */
final class Order {

    /** How the answer is shown. */
    enum Kind {
        /** A list, page by page. */
        LIST,
        /** One object, or nothing. */
        OBJECT,
        /** A file of any length. */
        FILE
    }

    private static final Pattern VARIABLE = Pattern.compile("\\{(\\w+)}");

    final String words;
    final String summary;
    final String method;
    final String path;
    final Kind kind;
    final List<Input> inputs = new ArrayList<>();

    /** Of a list: the member of the answer, and its columns. */
    String member = "";

    List<String> columns = List.of();
    boolean paged = true;

    /** Of a file: its types by the names that {@code --format} takes. The first is the default. */
    Map<String, String> formats = Map.of();

    /** The members of the present document that stay where no option names them; null if it is not read. */
    List<String> kept;

    /** Whether the body may be in a file, and members of it in {@code --set}. */
    boolean document;

    boolean conditional;
    boolean creates;
    final Map<String, Object> constants = new LinkedHashMap<>();
    String contentType = "application/json";

    /** The member of the answer that is shown only once. */
    String secret = "";

    /** The step that a person has to confirm; empty if there is none. */
    String danger = "";

    /** The action of a job for many devices, or the path of the request for many approvals. */
    String job = "";

    String many = "";

    /** Whether the answer is a job that can be waited for. */
    boolean makesJob;

    boolean upload;

    private Order(String words, String summary, String request, Kind kind) {
        this.words = words;
        this.summary = summary;
        this.method = request.split(" ")[0];
        this.path = request.split(" ")[1];
        this.kind = kind;
        Matcher variable = VARIABLE.matcher(path);
        while (variable.find()) {
            String name = variable.group(1);
            if (!name.equals("fleet") || variable.end() == path.length()) {
                inputs.add(new Input(name, Place.PATH, Form.TEXT, true, label(name), describe(name)));
            }
        }
    }

    private static String label(String name) {
        return name.replaceAll("([A-Z])", "-$1").toUpperCase(java.util.Locale.ROOT);
    }

    private String describe(String name) {
        return switch (name) {
            case "id" ->
                "The id of the " + (words.startsWith("devices") ? "device" : words.split(" ")[0].replaceFirst("s$", ""))
                        + ".";
            case "number" -> "The number of the seal.";
            default -> "The " + name + ".";
        };
    }

    static Order list(String words, String summary, String path, String member, String columns) {
        Order order = new Order(words, summary, "GET " + path, Kind.LIST);
        order.member = member;
        order.columns = List.of(columns.split(" "));
        return order;
    }

    static Order object(String words, String summary, String request) {
        return new Order(words, summary, request, Kind.OBJECT);
    }

    static Order file(String words, String summary, String request, String... formats) {
        Order order = new Order(words, summary, request, Kind.FILE);
        order.formats = new LinkedHashMap<>();
        for (int i = 0; i < formats.length; i += 2) {
            order.formats.put(formats[i], formats[i + 1]);
        }
        return order;
    }

    /** The list has no pages. */
    Order whole() {
        paged = false;
        return this;
    }

    Order query(String member, String description) {
        return input(member, Place.QUERY, Form.TEXT, false, "TEXT", description);
    }

    Order text(String member, String description) {
        return input(member, Place.BODY, Form.TEXT, false, "TEXT", description);
    }

    Order required(String member, String description) {
        return input(member, Place.BODY, Form.TEXT, true, "TEXT", description);
    }

    Order option(String member, Form form, String label, String description) {
        return input(member, Place.BODY, form, false, label, description);
    }

    /** A member of the body from the arguments of the command: one, or a list of them. */
    Order arguments(String member, Form form, String label, boolean required, String description) {
        return input(member, Place.ARGUMENTS, form, required, label, description);
    }

    private Order input(String member, Place place, Form form, boolean required, String label, String description) {
        inputs.add(new Input(member, place, form, required, label, description));
        return this;
    }

    Order notBeforeAndAfter() {
        return text("notBefore", "The time from which it counts, such as 2026-11-26T03:00:00Z.")
                .text("notAfter", "The time from which it does not count any more.");
    }

    Order reason() {
        return text("reason", "The reason, for the record.");
    }

    Order constant(String member, Object value) {
        constants.put(member, value);
        return this;
    }

    /** Reads the present document first, and keeps these members of it. The request counts for that version only. */
    Order keeps(String... members) {
        kept = List.of(members);
        return this;
    }

    /** The body may come from a file. */
    Order document() {
        document = true;
        return this;
    }

    Order conditional() {
        conditional = true;
        return this;
    }

    /** Fails if it is there already. */
    Order creates() {
        creates = true;
        return this;
    }

    Order mergePatch() {
        contentType = "application/merge-patch+json";
        return this;
    }

    Order secret(String name) {
        secret = name;
        return this;
    }

    Order danger(String what) {
        danger = what;
        return this;
    }

    Order orJob(String action) {
        job = action;
        return this;
    }

    Order orMany(String address) {
        many = address;
        return this;
    }

    Order makesJob() {
        makesJob = true;
        return this;
    }

    Order upload() {
        upload = true;
        makesJob = true;
        return this;
    }

    /** Whether the fleet of the request is an option. */
    boolean hasFleetOption() {
        return !job.isEmpty()
                || (path.contains("{fleet}")
                        && inputs.stream().noneMatch(input -> input.member().equals("fleet")));
    }

    /** Whether the command may take one argument, or several, or a condition. */
    boolean isForMany() {
        return !job.isEmpty() || !many.isEmpty();
    }

    Optional<Input> pathInput() {
        return inputs.stream().filter(input -> input.place() == Place.PATH).reduce((first, last) -> last);
    }

    /** The request as {@code docs/operator-rights.csv} has it. */
    String request() {
        return method + " " + path;
    }
}
