// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import io.muster.command.Input.Form;
import io.muster.command.Input.Place;
import io.muster.command.Order.Kind;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Does what one line of the table says. */
final class OrderCommand implements Callable<Integer> {

    private static final int PAGE = 1000;
    private static final int LIMIT = 100;
    private static final int REPEATS = 10_000;
    private static final String IF_MATCH = "--if-match";

    private final Order order;
    private final Shell shell;
    private final CommandSpec spec;

    private Target target;
    private Api api;

    /** Whether it was about something that has ended, which needs no watch. */
    private boolean ended;

    private OrderCommand(Order order, Shell shell) {
        this.order = order;
        this.shell = shell;
        this.spec = CommandSpec.wrapWithoutInspection(this);
    }

    // the command line

    /** Makes the command for an order. */
    static CommandSpec of(Order order, Shell shell) {
        OrderCommand command = new OrderCommand(order, shell);
        command.describe();
        return command.spec;
    }

    static OptionSpec help() {
        return OptionSpec.builder("-h", "--help")
                .type(Boolean.class)
                .usageHelp(true)
                .description("Shows this help.")
                .build();
    }

    private void describe() {
        spec.addOption(help());
        spec.usageMessage().description(order.summary);
        if (order.upload) {
            argument("FILE", "1", "CSV or lines of JSON; - is the standard input.");
        }
        for (Input input : order.inputs) {
            add(input);
        }
        if (order.hasFleetOption() || order.path.equals("/api/v1/devices")) {
            option("--fleet", "FLEET", "The fleet, by default that of the profile.");
        }
        if (order.isForMany()) {
            describeMany();
        }
        if (order.document) {
            option("--file", "FILE", "A JSON object with the members; - is the standard input.");
            list("--set", "MEMBER=JSON", "A member of the document; MEMBER= removes it. May be repeated.");
        }
        if (order.conditional) {
            option(IF_MATCH, "TAG", "Only if this is still its entity tag.");
        }
        describeOutput();
        if (!order.danger.isEmpty() || !order.job.isEmpty()) {
            flag("--yes", "Does it without a question.");
        }
        option("--profile", "NAME", "The registry and token to use, by default the current profile.");
    }

    private void describeMany() {
        if (order.job.isEmpty()) {
            option("--origin", "ADDRESS", "Instead of ids: every candidate from this address that waits.");
            option("--lot", "LOT", "Instead of ids: every candidate of this lot that waits.");
            flag("--all", "Instead of ids: every candidate that waits.");
            return;
        }
        option("--filter", "FILTER", "Instead of ids: every device that matches.");
        flag("--all", "Instead of ids: every device of the fleet.");
        flag("--dry-run", "Says what would be done.");
        flag("--wait", "Waits for the end of the job.");
    }

    private void describeOutput() {
        if (order.upload) {
            option("--format", "FORMAT", "csv or ndjson, by default as the name of the file ends.");
            flag("--dry-run", "Says what would be done.");
            flag("--wait", "Waits for the end of the job.");
            option("--failures", "FILE", "With --wait: writes the failed rows there.");
        }
        if (order.kind == Kind.FILE) {
            if (order.formats.size() > 1) {
                option(
                        "--format",
                        "FORMAT",
                        String.join(" or ", order.formats.keySet()) + "; the first is the default.");
            }
            option("--save", "FILE", "A new file, which only you can read. By default the output.");
            return;
        }
        spec.addOption(OptionSpec.builder("-o", "--output")
                .type(Output.class)
                .paramLabel("FORMAT")
                .description("table (the default), json or csv.")
                .build());
        if (order.kind == Kind.LIST) {
            option("--columns", "NAMES", "The columns of table and csv, such as serial,tags.room");
            if (order.paged) {
                integer("--limit", "NUMBER", "The most rows, by default " + LIMIT + ".", null);
                flag("--all", "Lists all rows.");
            }
        }
        if (order.method.equals("GET") && !order.makesJob) {
            integer("--watch", "SECONDS", "Shows it again and again, by default every 2 seconds.", "2");
        }
        if (!order.secret.isEmpty()) {
            option("--secret-file", "FILE", "A new file for the " + order.secret + ", which only you can read.");
        }
    }

    private void add(Input input) {
        if (input.place() == Place.PATH && order.isForMany()) {
            argument("[ID...]", "0..*", input.description());
        } else if (input.place() == Place.PATH) {
            argument(input.label(), "1", input.description());
        } else if (input.place() == Place.ARGUMENTS) {
            boolean isList = input.form() == Form.LIST;
            argument(
                    (input.required() ? "%s" : "[%s]").formatted(input.label() + (isList ? "..." : "")),
                    (input.required() ? "1" : "0") + (isList ? "..*" : input.required() ? "" : "..1"),
                    input.description());
        } else if (input.form() == Form.FLAG) {
            flag(input.option(), input.description());
        } else if (input.form() == Form.NUMBER) {
            spec.addOption(OptionSpec.builder(input.option())
                    .type(BigInteger.class)
                    .paramLabel(input.label())
                    .description(input.description())
                    .build());
        } else if (input.form() == Form.LIST || input.form() == Form.TEXTS || input.form() == Form.VALUES) {
            list(input.option(), input.label(), input.description());
        } else {
            spec.addOption(OptionSpec.builder(input.option())
                    .type(String.class)
                    .required(input.required())
                    .paramLabel(input.label())
                    .description(input.description())
                    .build());
        }
    }

    private void argument(String label, String arity, String description) {
        spec.addPositional(PositionalParamSpec.builder()
                .index(spec.positionalParameters().size() + (arity.endsWith("*") ? "..*" : ""))
                .type(List.class)
                .auxiliaryTypes(String.class)
                .arity(arity)
                .paramLabel(label)
                .hideParamSyntax(true)
                .description(description)
                .build());
    }

    private void option(String name, String label, String description) {
        spec.addOption(OptionSpec.builder(name)
                .type(String.class)
                .paramLabel(label)
                .description(description)
                .build());
    }

    private void list(String name, String label, String description) {
        spec.addOption(OptionSpec.builder(name)
                .type(List.class)
                .auxiliaryTypes(String.class)
                .paramLabel(label)
                .description(description)
                .build());
    }

    private void flag(String name, String description) {
        spec.addOption(OptionSpec.builder(name)
                .type(Boolean.class)
                .arity("0")
                .description(description)
                .build());
    }

    private void integer(String name, String label, String description, String fallback) {
        OptionSpec.Builder builder =
                OptionSpec.builder(name).type(Integer.class).paramLabel(label).description(description);
        spec.addOption((fallback == null ? builder : builder.arity("0..1").fallbackValue(fallback)).build());
    }

    private <T> Optional<T> given(String option, Class<T> type) {
        OptionSpec found = spec.findOption(option);
        return Optional.ofNullable(found == null ? null : found.getValue()).map(type::cast);
    }

    private Optional<String> given(String option) {
        return given(option, String.class);
    }

    private boolean has(String flag) {
        return given(flag, Boolean.class).orElse(false);
    }

    private List<String> several(String option) {
        OptionSpec found = spec.findOption(option);
        return found == null ? List.of() : texts(found.getValue());
    }

    private List<String> arguments(int index) {
        return texts(spec.positionalParameters().get(index).getValue());
    }

    private static List<String> texts(Object value) {
        return value instanceof List<?> list
                ? list.stream().map(String::valueOf).toList()
                : List.of();
    }

    // the request

    @Override
    public Integer call() throws Failure, InterruptedException {
        target = Target.of(shell, given("--profile").orElse(null));
        api = new Api(target, shell);
        if (order.kind == Kind.FILE) {
            return new Downloads(api, shell)
                    .fetch(
                            request(body()).with("Accept", accept()),
                            given("--save").map(Path::of));
        }
        int seconds = given("--watch", Integer.class).orElse(0);
        int exit = once();
        while (seconds > 0 && !ended) {
            shell.pause().of(Duration.ofSeconds(seconds));
            if (shell.isTerminal(1)) {
                shell.out().print("\033[H\033[2J");
            } else {
                shell.out().println();
            }
            exit = once();
        }
        return exit;
    }

    private int once() throws Failure, InterruptedException {
        if (order.kind == Kind.LIST) {
            list();
            return Exit.DONE;
        }
        if (order.upload) {
            return upload();
        }
        if (order.makesJob) {
            return finished(new Jobs(api, shell).await(path(order.path)));
        }
        if (order.isForMany() && (!order.path.contains("{id}") || arguments(0).size() != 1 || isConditionGiven())) {
            return many();
        }
        Map<String, Object> body = body();
        if (!order.danger.isEmpty()) {
            confirm(order.danger, phrase());
        }
        Api.Request request = request(body);
        if (order.kept != null) {
            request = changed(request, body);
        }
        Map<String, Object> answer = ask(request);
        show(answer);
        // A receiver that does not accept a test is not as it should be.
        return Boolean.FALSE.equals(answer.get("accepted")) ? Exit.DIFFERENT : Exit.DONE;
    }

    private boolean isConditionGiven() {
        return List.of("--filter", "--origin", "--lot").stream()
                        .anyMatch(name -> given(name).isPresent())
                || has("--all")
                || has("--dry-run");
    }

    private String fleet() {
        return given("--fleet").orElse(target.fleet());
    }

    private String phrase() {
        int last = spec.positionalParameters().size() - 1;
        List<String> named = last < 0 ? List.of() : arguments(last);
        return named.isEmpty() ? order.hasFleetOption() ? fleet() : "yes" : named.get(0);
    }

    private void confirm(String what, String phrase) throws Failure {
        if (has("--yes")) {
            return;
        }
        if (!shell.isTerminal(0)) {
            throw new Failure(
                    Exit.NOT_CONFIRMED,
                    "This would " + what + ". Nobody can be asked here: add --yes to do it without a question.");
        }
        shell.say("This will " + what + ". Type " + Printable.text(phrase) + " to go on:");
        try {
            if (!shell.line().orElse("").strip().equals(phrase)) {
                throw new Failure(Exit.NOT_CONFIRMED, "Nothing was done.");
            }
        } catch (IOException e) {
            throw new Failure(Exit.NOT_CONFIRMED, "Nothing was done: " + e.getMessage());
        }
    }

    /**
     * Returns the address, with the values of its variables.
     *
     * @throws Failure if a name would lead to another address: strangers choose names of lots
     */
    private String path(String template) throws Failure {
        String path = template.replace("{fleet}", order.hasFleetOption() ? encoded(fleet()) : "{fleet}");
        int index = order.upload ? 1 : 0;
        for (Input input : order.inputs) {
            if (input.place() == Place.PATH) {
                List<String> values = arguments(index++);
                String value = values.isEmpty() ? "" : encoded(values.get(0));
                if (List.of(value.split("%2F", -1)).stream().anyMatch(part -> part.equals(".") || part.equals(".."))) {
                    throw new Failure(Exit.USAGE, "A name with the part . or .. cannot be in an address.");
                }
                path = path.replace(
                        "{" + input.member() + "}", input.member().equals("lot") ? value.replace("%2F", "/") : value);
            }
        }
        return path;
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private Map<String, String> query() {
        Map<String, String> query = new LinkedHashMap<>();
        if (order.path.equals("/api/v1/devices")) {
            query.put("fleet", fleet());
        }
        order.inputs.stream().filter(input -> input.place() == Place.QUERY).forEach(input -> given(input.option())
                .ifPresent(value -> query.put(input.member(), value)));
        return query;
    }

    private static String withQuery(String path, Map<String, String> query) {
        StringBuilder address = new StringBuilder(path);
        query.forEach((name, value) -> address.append(address.indexOf("?") < 0 ? '?' : '&')
                .append(name)
                .append('=')
                .append(encoded(value)));
        return address.toString();
    }

    private Api.Request request(Map<String, Object> body) throws Failure {
        Api.Request request = Api.Request.of(order.method, withQuery(path(order.path), query()));
        if (given(IF_MATCH).isPresent()) {
            request = request.with("If-Match", given(IF_MATCH).get());
        } else if (order.creates) {
            request = request.with("If-None-Match", "*");
        }
        boolean hasBody = !body.isEmpty()
                || order.document
                || order.inputs.stream().anyMatch(input -> input.place() == Place.BODY);
        return hasBody ? request.with(Api.Body.text(order.contentType, Json.write(body))) : request;
    }

    private Map<String, Object> body() throws Failure {
        Map<String, Object> body = new LinkedHashMap<>(order.constants);
        if (order.document) {
            if (given("--file").isPresent()) {
                body.putAll(read(given("--file").get()));
            }
            pairs("--set", true).forEach(body::put);
        }
        int index = 0;
        for (Input input : order.inputs) {
            if (input.place() == Place.ARGUMENTS) {
                List<String> values = arguments(index);
                if (!values.isEmpty()) {
                    body.put(input.member(), input.form() == Form.LIST ? values : values.get(0));
                }
            } else if (input.place() == Place.BODY) {
                put(body, input);
            }
            index += input.place() == Place.PATH || input.place() == Place.ARGUMENTS ? 1 : 0;
        }
        return body;
    }

    /** Puts what an option says into the body. An empty text removes a member of a document that is changed. */
    private void put(Map<String, Object> body, Input input) throws Failure {
        String option = input.option();
        OptionSpec found = spec.findOption(option);
        if (found.getValue() == null) {
            return;
        }
        String text = String.valueOf(found.<Object>getValue());
        boolean removes = text.isEmpty() && (order.kept != null || order.contentType.contains("merge"));
        Object value =
                switch (input.form()) {
                    case FLAG, NUMBER, LIST -> found.getValue();
                    case TEXTS, VALUES -> pairs(option, input.form() == Form.VALUES);
                    case BOOLEAN -> truth(option, text);
                    case JSON -> json(option, text);
                    case TEXT -> removes ? null : text;
                };
        body.put(input.member(), value);
    }

    private static boolean truth(String option, String text) throws Failure {
        if (!text.equals("true") && !text.equals("false")) {
            throw new Failure(Exit.USAGE, option + " takes true or false.");
        }
        return text.equals("true");
    }

    private static Object json(String option, String text) throws Failure {
        try {
            return Json.read(text);
        } catch (IOException e) {
            throw new Failure(Exit.USAGE, option + ": " + e.getMessage());
        }
    }

    private Map<String, Object> pairs(String option, boolean typed) throws Failure {
        Map<String, Object> pairs = new LinkedHashMap<>();
        for (String pair : several(option)) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                throw new Failure(Exit.USAGE, option + " takes a name, = and a value.");
            }
            String text = pair.substring(equals + 1);
            pairs.put(pair.substring(0, equals), text.isEmpty() ? null : typed ? typed(text) : text);
        }
        return pairs;
    }

    /** A text that is not JSON is a text. */
    private static Object typed(String text) {
        try {
            return Json.read(text);
        } catch (IOException e) {
            return text;
        }
    }

    private Map<String, Object> read(String file) throws Failure {
        try {
            return Json.object(
                    file.equals("-")
                            ? new String(shell.in().readAllBytes(), StandardCharsets.UTF_8)
                            : io.muster.spi.WrittenText.read(Path.of(file)));
        } catch (IOException e) {
            throw new Failure(Exit.USAGE, file + ": " + e.getMessage());
        }
    }

    /** Reads the present document, and makes the request replace that version only. */
    private Api.Request changed(Api.Request request, Map<String, Object> changes) throws Failure, InterruptedException {
        Map<String, Object> document = new LinkedHashMap<>();
        Optional<String> etag = Optional.empty();
        try {
            Api.Answer present = api.ask(Api.Request.of("GET", request.path()));
            etag = present.etag();
            document.putAll(present.json());
            if (!order.kept.contains("*")) {
                document.keySet().retainAll(order.kept);
            }
        } catch (Failure e) {
            // A lot is made by its first change.
            if (e.exit() != Exit.NOT_FOUND || !order.path.endsWith("{lot}")) {
                throw e;
            }
        }
        document.putAll(changes);
        document.values().removeIf(java.util.Objects::isNull);
        Api.Request replacing = request.with(Api.Body.json(document));
        return etag.isPresent() ? replacing.with("If-Match", etag.get()) : replacing;
    }

    private String accept() throws Failure {
        String format =
                given("--format").orElse(order.formats.keySet().iterator().next());
        if (!order.formats.containsKey(format)) {
            throw new Failure(Exit.USAGE, "--format is " + String.join(" or ", order.formats.keySet()));
        }
        return order.formats.get(format);
    }

    // the answer

    private Output output() {
        return given("-o", Output.class).orElse(Output.table);
    }

    private Map<String, Object> ask(Api.Request request) throws Failure, InterruptedException {
        Optional<Path> file = given("--secret-file").map(Path::of);
        if (file.isEmpty()) {
            Map<String, Object> answer = api.ask(request).json();
            if (answer.containsKey(order.secret)) {
                shell.say("The " + order.secret + " is shown this once.");
            }
            return answer;
        }
        SecretFile.reserve(file.get());
        boolean written = false;
        try {
            Map<String, Object> answer = new LinkedHashMap<>(api.ask(request).json());
            try (OutputStream out = SecretFile.open(file.get())) {
                out.write((answer.remove(order.secret) + "\n").getBytes(StandardCharsets.UTF_8));
                written = true;
            } catch (IOException e) {
                throw new Failure(Exit.USAGE, "The " + order.secret + " is lost: cannot write " + e.getMessage());
            }
            return answer;
        } finally {
            if (!written) {
                file.get().toFile().delete();
            }
        }
    }

    private void show(Map<String, Object> answer) {
        ended = answer.containsKey("endedAt");
        if (answer.isEmpty()) {
            shell.say("Done.");
        } else {
            output().object(shell, answer);
        }
    }

    private void list() throws Failure, InterruptedException {
        List<String> columns =
                given("--columns").map(names -> List.of(names.split(","))).orElse(order.columns);
        long left =
                has("--all") ? Long.MAX_VALUE : given("--limit", Integer.class).orElse(LIMIT);
        Output.Rows rows = output().rows(shell, columns);
        String cursor = "";
        do {
            Map<String, String> query = query();
            if (order.paged) {
                query.put("limit", Long.toString(Math.max(1, Math.min(left, PAGE))));
            }
            if (!cursor.isEmpty()) {
                query.put("cursor", cursor);
            }
            Map<String, Object> page = api.ask(Api.Request.of("GET", withQuery(path(order.path), query)))
                    .json();
            List<Map<String, Object>> found = Json.objects(page, order.member);
            found.forEach(rows::add);
            left -= found.size();
            String next = Json.text(page, "next");
            if (next.equals(cursor) && !next.isEmpty()) {
                throw new Failure(Exit.SERVER_FAULT, "The registry sends the same page again and again.");
            }
            cursor = next;
        } while (!cursor.isEmpty() && left > 0);
        rows.end();
        if (!cursor.isEmpty()) {
            shell.say("There is more: use --limit or --all.");
        }
    }

    private int upload() throws Failure, InterruptedException {
        String name = arguments(0).get(0);
        String format = given("--format").orElse(name.endsWith("json") ? "ndjson" : "csv");
        String type =
                switch (format) {
                    case "csv" -> "text/csv";
                    case "ndjson" -> "application/x-ndjson";
                    default -> throw new Failure(Exit.USAGE, "--format is csv or ndjson");
                };
        if (given("--failures").isPresent()
                && Files.exists(Path.of(given("--failures").get()))) {
            throw new Failure(Exit.USAGE, given("--failures").get() + " is there already. Name another file.");
        }
        Api.Request request = Api.Request.of("POST", path(order.path) + (has("--dry-run") ? "/dry-run" : ""))
                .with(name.equals("-") ? Api.Body.stream(type, shell.in()) : Api.Body.file(type, Path.of(name)))
                .asUpload();
        return job(api.ask(request).json());
    }

    private int job(Map<String, Object> job) throws Failure, InterruptedException {
        if (!has("--wait")) {
            show(job);
            return Exit.DONE;
        }
        String id = Json.text(job, "id");
        shell.say("Job " + Printable.text(id) + ". If you interrupt this, it goes on: muster jobs wait "
                + Printable.text(id));
        return finished(new Jobs(api, shell).await("/api/v1/fleets/" + encoded(fleet()) + "/jobs/" + encoded(id)));
    }

    private int finished(Map<String, Object> job) throws Failure, InterruptedException {
        show(job);
        Optional<String> failures = given("--failures").filter(file -> Json.number(job, "failed") > 0);
        if (failures.isPresent()) {
            String path = "/api/v1/fleets/" + encoded(fleet()) + "/jobs/" + encoded(Json.text(job, "id")) + "/failures";
            new Downloads(api, shell).fetch(Api.Request.of("GET", path), failures.map(Path::of));
        }
        return Jobs.exit(job);
    }

    private int many() throws Failure, InterruptedException {
        Map<String, Object> body = new LinkedHashMap<>();
        List<String> ids = spec.positionalParameters().isEmpty() ? List.of() : arguments(0);
        if (!ids.isEmpty()) {
            body.put(order.job.isEmpty() ? "ids" : "devices", ids);
        }
        for (String name : List.of("filter", "origin", "lot")) {
            given("--" + name).ifPresent(text -> body.put(name, text));
        }
        if (has("--all")) {
            body.put("all", true);
        }
        if (body.size() != 1) {
            throw new Failure(
                    Exit.USAGE,
                    order.job.isEmpty()
                            ? "Name ids, or use one of --origin, --lot and --all."
                            : "Name ids, or use one of --filter and --all.");
        }
        String whom = (ids.isEmpty()
                        ? "every device"
                                + given("--filter")
                                        .map(text -> " that matches " + text)
                                        .orElse("")
                        : ids.size() + " devices")
                + " of the fleet " + fleet();
        body.putAll(body());
        if (order.job.isEmpty()) {
            return decided(body);
        }
        body.put("action", order.job);
        if (has("--dry-run")) {
            body.put("dryRun", true);
        } else {
            confirm(order.job + " " + whom, fleet());
        }
        return job(api.ask(Api.Request.of("POST", "/api/v1/fleets/" + encoded(fleet()) + "/jobs")
                        .with(Api.Body.json(body)))
                .json());
    }

    /** Decides about all that match, a thousand in each request. */
    private int decided(Map<String, Object> body) throws Failure, InterruptedException {
        Map<String, Object> sum = new LinkedHashMap<>();
        for (int i = 0; i < REPEATS; i++) {
            Map<String, Object> answer = api.ask(
                            Api.Request.of("POST", path(order.many)).with(Api.Body.json(body)))
                    .json();
            BigInteger before = (BigInteger) sum.getOrDefault("changed", BigInteger.ZERO);
            sum.putAll(answer);
            sum.put("changed", before.add(BigInteger.valueOf(Json.number(answer, "changed"))));
            if (!Boolean.TRUE.equals(answer.get("more")) || Json.number(answer, "changed") == 0) {
                break;
            }
        }
        show(sum);
        return sum.get("contested") instanceof List<?> contested && !contested.isEmpty() ? Exit.DIFFERENT : Exit.DONE;
    }
}
