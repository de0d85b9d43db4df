// SPDX-License-Identifier: Apache-2.0
package io.muster.demo;

import io.muster.client.RefusedException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.eclipse.paho.client.mqttv3.MqttException;

/**
 * Twenty devices of a registry and a broker that run already, told step by step. Ends with 1 if a step went otherwise.
 *
 * <p>Arguments: the registry's address, the broker's ({@code tcp://host:port}), the file with an operator's token, and
 * a directory to write to. If the devices are to go on, also {@code --stay} and a file with hints what to try.
 */
public final class Demo {

    private static final int DEVICES = 20;
    private static final int STATES = 5;
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Duration START = Duration.ofMinutes(10);

    private final URI registry;
    private final String broker;
    private final Operator operator;
    private final PoorLine poorLine;
    private final boolean elsewhere;
    private final Path directory;
    private final List<Device> devices;
    private final Map<String, AtomicInteger> counted = new ConcurrentHashMap<>();
    private final List<String> foreign = new CopyOnWriteArrayList<>();

    private Demo(URI registry, String broker, String operatorToken, Path directory) throws IOException {
        this.registry = registry;
        this.broker = broker;
        this.operator = new Operator(registry, operatorToken);
        this.poorLine = new PoorLine(registry);
        this.directory = directory;
        // Inside compose.yaml's network the registry is another machine. Elsewhere, use https.
        this.elsewhere = !InetAddress.getByName(registry.getHost()).isLoopbackAddress();
        this.devices = IntStream.rangeClosed(1, DEVICES)
                .mapToObj("PUMP-%02d"::formatted)
                .map(serial -> device(serial.equals("PUMP-20") ? poorLine.address() : registry, serial))
                .toList();
    }

    /** Makes a device as it is when it is switched on. */
    private Device device(URI address, String serial) {
        return new Device(address, serial, directory.resolve(serial + ".json"), elsewhere);
    }

    public static void main(String[] args) throws Exception {
        URI registry = URI.create(args[0]);
        URI broker = URI.create(args[1]);
        Path operatorToken = Path.of(args[2]);
        awaitPort(registry.getHost(), registry.getPort());
        awaitPort(broker.getHost(), broker.getPort());
        Demo demo = new Demo(registry, args[1], Files.readString(operatorToken).strip(), Path.of(args[3]));
        try {
            demo.tell();
        } catch (NotAsTold | MqttException | IOException | RefusedException | TimeoutException e) {
            System.out.println("   NOT AS TOLD: " + e);
            System.exit(1);
        }
        if (args.length > 5 && args[4].equals("--stay")) {
            demo.stay(Files.readString(Path.of(args[5])));
        }
        System.exit(0);
    }

    /** Something else happened than the text says. */
    private static final class NotAsTold extends Exception {
        private static final long serialVersionUID = 1;

        NotAsTold(String message) {
            super(message);
        }
    }

    private static void awaitPort(String host, int port) throws InterruptedException, TimeoutException {
        await(START, host + ":" + port + " listens", () -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(host, port), 1000);
                return true;
            } catch (IOException notYet) {
                return false;
            }
        });
    }

    private static void await(Duration limit, String what, Callable<Boolean> condition)
            throws InterruptedException, TimeoutException {
        long end = System.nanoTime() + limit.toNanos();
        try {
            while (!condition.call()) {
                if (System.nanoTime() > end) {
                    throw new TimeoutException("not within " + limit.toSeconds() + " s: " + what);
                }
                Thread.sleep(20);
            }
        } catch (InterruptedException | TimeoutException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void tell() throws Exception {
        say("1. An operator tells the registry which serials may register");
        operator.expect(devices.stream().map(Device::serial).toList());
        note(DEVICES + " serials, " + devices.get(0).serial() + " to "
                + devices.get(DEVICES - 1).serial());

        say("2. The devices are switched on. None has a credential: each sends its serial and gets its own");
        long before = System.nanoTime();
        together(Device::deviceId);
        for (Device device : devices) {
            note(device.serial() + " is " + device.deviceId() + " for ever, and keeps its key and secret in "
                    + device.serial() + ".json");
        }
        note("all " + DEVICES + " in " + millisSince(before) + " ms");

        lostReply();
        secondStart();
        unknownSerial();

        say("6. They connect to the broker: client id is the device id, user name the key, password the secret");
        collect();
        before = System.nanoTime();
        together(device -> {
            device.connect(broker);
            return null;
        });
        note("the broker asked the registry about each and let " + connected() + " in, in " + millisSince(before)
                + " ms");
        claim(connected() == DEVICES, "all devices are connected");

        say("7. They publish, each on its own topic, muster/{deviceId}/state");
        together(device -> {
            for (int i = 1; i <= STATES; i++) {
                device.publish("{\"flow\": " + i + "}");
            }
            return null;
        });
        await(SOON, "every state is counted", () -> total() == DEVICES * STATES);
        note("a collector, an operator with the right mqtt:read, counts " + total() + " states of " + counted.size()
                + " devices");
        claim(counted.size() == DEVICES, "every device was heard");

        command();
        foreignTopics();
        revoked();
    }

    private void lostReply() throws Exception {
        Device device = devices.get(DEVICES - 1);
        say("3. The reply to " + device.serial() + " had been lost on its way");
        claim(poorLine.registrations() == 2, "the registry answered it twice");
        claim(
                operator.devices(device.serial()).equals(List.of(device.deviceId())),
                "the registry has it once, as " + device.deviceId());
        note("the registry answered, but the line broke. The device asked again and is " + device.deviceId());
        note("it is one device; the credential that was lost is void");
    }

    private void secondStart() throws Exception {
        Device device = devices.get(DEVICES - 1);
        say("4. " + device.serial() + " is switched off and on again");
        int before = poorLine.registrations();
        Device again = device(poorLine.address(), device.serial());
        claim(again.deviceId().equals(device.deviceId()), "it is the same device");
        claim(poorLine.registrations() == before, "it did not register again");
        note("it is " + again.deviceId() + " still, from its file: it does not register a second time");
    }

    private void unknownSerial() throws Exception {
        say("5. A serial that nobody expects: PUMP-99");
        try {
            device(registry, "PUMP-99").deviceId();
            throw new NotAsTold("PUMP-99 was registered");
        } catch (RefusedException refused) {
            claim(refused.type().endsWith("registration-refused"), refused.toString());
            note("refused with " + refused.status() + ", and not told why. The operator reads: "
                    + operator.refusal("PUMP-99"));
        }
        claim(operator.devices("PUMP-99").isEmpty(), "PUMP-99 is no device");
    }

    /** Receives all messages, until the end of the process. */
    private void collect() throws IOException, InterruptedException, MqttException {
        String token = operator.operator("collector", "mqtt:read");
        // mosquitto_sub takes its options from here, so that no token is in the list of processes.
        Path options = Files.createDirectories(directory.resolve("mosquitto")).resolve("mosquitto_sub");
        Files.createFile(options, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(options, "-u collector\n-P " + token + "\n");
        Session collector = Session.open(broker, "the-demo", "collector", token, (topic, text) -> {
            if (text.equals("foreign")) {
                foreign.add(topic);
            } else if (topic.endsWith("/state")) {
                counted.computeIfAbsent(topic, any -> new AtomicInteger()).incrementAndGet();
            }
        });
        collector.subscribe("#");
    }

    private void command() throws Exception {
        Device device = devices.get(0);
        say("8. An operator with the right mqtt:write sends " + device.serial() + " a command");
        try (Session commander =
                Session.open(broker, "the-commander", "commander", commanderToken(), (topic, text) -> {})) {
            commander.publish(device.commandTopic(), "stop");
            await(SOON, "the command is heard", () -> device.commands().contains("stop"));
        }
        note(device.serial() + " heard: stop");
        claim(devices.stream().skip(1).allMatch(other -> other.commands().isEmpty()), "nobody else heard it");
    }

    private String commanderToken() throws IOException, InterruptedException {
        return operator.operator("commander", "mqtt:write");
    }

    private void foreignTopics() throws Exception {
        Device device = devices.get(1);
        Device other = devices.get(2);
        say("9. " + device.serial() + " tries the topics of " + other.serial());
        int before = total();
        try {
            device.session().publish(other.stateTopic(), "foreign");
        } catch (MqttException closed) {
            // It may also be acknowledged. Neither proves anything; the lost connection does.
        }
        device.session().lost(SOON);
        note("it publishes as the other: the broker ends its connection");
        device.connect(broker);
        try {
            device.session().subscribe(other.commandTopic());
        } catch (MqttException closed) {
            // As above.
        }
        device.session().lost(SOON);
        note("it wants to hear the other's commands: the broker ends its connection");
        device.connect(broker);
        device.publish("{\"flow\": 0}");
        await(SOON, "it is heard again", () -> total() == before + 1);
        note("on its own topics it is welcome again; the collector has heard nothing foreign");
        claim(foreign.isEmpty(), "nothing foreign was heard");
    }

    private void revoked() throws Exception {
        Device device = devices.get(6);
        say("10. " + device.serial() + " was stolen. The operator revokes its credential while it is connected");
        long before = System.nanoTime();
        operator.revoke(device.deviceId());
        long lost = device.session().lost(SOON);
        note("disconnected " + Duration.ofNanos(lost - before).toMillis() + " ms after the operator sent the request");
        try {
            device.connect(broker);
            throw new NotAsTold(device.serial() + " was let in again");
        } catch (MqttException refused) {
            claim(refused.getReasonCode() == MqttException.REASON_CODE_FAILED_AUTHENTICATION, refused.toString());
            note("it tries again and is refused: CONNACK " + refused.getReasonCode() + ", " + refused.getMessage());
        }
        claim(connected() == DEVICES - 1, "all others are still connected");
        note("the other " + connected() + " are still connected");
    }

    /** Goes on until it is stopped, and tells which devices are disconnected. */
    private void stay(String hints) throws Exception {
        Device spare = devices.get(8);
        System.out.println();
        System.out.println(hints.strip().replace("{deviceId}", spare.deviceId()).replace("{serial}", spare.serial()));
        List<Device> running = new ArrayList<>(devices);
        running.removeIf(device -> !device.session().isConnected());
        for (Device device : running) {
            device.session().whenLost(() -> note(device.serial() + " was disconnected"));
        }
        for (int i = 1; !running.isEmpty(); i++) {
            running.removeIf(device -> !device.session().isConnected());
            for (Device device : running) {
                try {
                    device.publish("{\"flow\": " + i + "}");
                } catch (MqttException lost) {
                    // It was told above.
                }
            }
            Thread.sleep(5000);
        }
        note("no device is left");
    }

    private interface Step {
        Object take(Device device) throws Exception;
    }

    /** Runs a step on all devices at once, as after a power cut. */
    private void together(Step step) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(DEVICES);
        try {
            List<Future<?>> steps = new ArrayList<>();
            for (Device device : devices) {
                steps.add(threads.submit(() -> step.take(device)));
            }
            for (Future<?> each : steps) {
                each.get();
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        } finally {
            threads.shutdown();
        }
    }

    private long connected() {
        return devices.stream().filter(device -> device.session().isConnected()).count();
    }

    private int total() {
        return counted.values().stream().mapToInt(AtomicInteger::get).sum();
    }

    private static long millisSince(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos).toMillis();
    }

    private static void claim(boolean holds, String what) throws NotAsTold {
        if (!holds) {
            throw new NotAsTold("it is not so that " + what);
        }
    }

    private static void say(String heading) {
        System.out.println();
        System.out.println("== " + heading);
    }

    private static void note(String text) {
        System.out.println("   " + text);
    }
}
